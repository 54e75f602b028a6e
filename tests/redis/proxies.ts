// Proxies that cut the connections to the nodes of a Cluster.
import { FaultProxy } from "../../testing/fault_proxy.ts";

/** A proxy for each node, and how a client finds them instead of the nodes. */
export async function proxiesOf(
  nodes: readonly { host: string; port: number }[],
) {
  const all = await Promise.all(
    nodes.map(({ port }) => FaultProxy.start(port)),
  );
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
