// Proxies that cut the connections to the nodes of a Cluster.
import { CutProxy } from "../support/cut_proxy.ts";

/** A proxy for each node, and how a client finds them instead of the nodes. */
export function proxiesOf(nodes: readonly { host: string; port: number }[]) {
  const all = nodes.map(({ port }) => new CutProxy(port));
  return {
    all,
    startup: all.map(({ port }) => ({ host: "127.0.0.1", port })),
    natMap: Object.fromEntries(nodes.map(({ host, port }, i) => [
      `${host}:${port}`,
      { host: "127.0.0.1", port: all[i]!.port },
    ])),
    async [Symbol.asyncDispose]() {
      for (const proxy of all) await proxy[Symbol.asyncDispose]();
    },
  };
}
