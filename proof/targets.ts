/** What histories are played on: a new server, or a file. */
import {
  type Server,
  startMariadb,
  startPgBouncer,
  startPostgres,
  startRedis,
  startRedisCluster,
} from "../servers/mod.ts";
import { FaultProxy } from "../testing/fault_proxy.ts";
import { mountDisk } from "./disk.ts";
import { createMysqlUser } from "./servers.ts";
import type { Backend, StoreOptions } from "./stores.ts";

/** A server or a file. */
export interface Target extends AsyncDisposable {
  readonly backend: Backend;
  /** How the writers open it. */
  readonly options: Pick<
    StoreOptions,
    "url" | "proxyUrl" | "natMap" | "sessionUrl"
  >;
  /** The servers; none if the backend is embedded. */
  readonly servers: readonly Server[];
  /** The poolers between the writers and the server. */
  readonly poolers: readonly Server[];
  /** The proxies between some of the writers, or the poolers, and each server. */
  readonly proxies: readonly FaultProxy[];
  /** The file of an embedded backend. */
  readonly file?: string;
}

/** An acknowledged write must survive a kill. */
const REDIS_SETTINGS = { appendfsync: "always" };

/** The poolers: their modes, and how many connections to the server they open. */
const POOLS = [["transaction", 5], ["session", 40]] as const;

/** Starts what a backend needs, with a file on a disk that can become full. */
export async function startTarget(
  backend: Backend,
  hasSmallDisk: boolean,
): Promise<Target> {
  await using disposal = new AsyncDisposableStack();
  const { url, servers, file } = await launch(backend, hasSmallDisk, disposal);
  const proxies: FaultProxy[] = [];
  for (const { port } of servers) {
    proxies.push(disposal.use(await FaultProxy.start(port)));
  }
  const poolers: Server[] = [];
  if (backend === "pgbouncer") {
    const server = { port: proxies[0]!.port, password: servers[0]!.password };
    for (const [mode, size] of POOLS) {
      poolers.push(disposal.use(await startPgBouncer(server, size, mode)));
    }
  }
  const [pooler, sessions] = poolers;
  const moved = disposal.move();
  return {
    backend,
    options: pooler === undefined
      ? { url, ...proxyOptions(backend, url, servers, proxies) }
      : { url: pooler.url, sessionUrl: sessions!.url },
    servers,
    poolers,
    proxies,
    ...(file === undefined ? {} : { file }),
    [Symbol.asyncDispose]: () => moved.disposeAsync(),
  };
}

function proxyOptions(
  backend: Backend,
  url: string,
  servers: readonly Server[],
  proxies: readonly FaultProxy[],
): Pick<StoreOptions, "proxyUrl" | "natMap"> {
  if (backend !== "redis-cluster") {
    const [proxy] = proxies;
    if (proxy === undefined) return {};
    const proxyUrl = new URL(url);
    proxyUrl.port = `${proxy.port}`;
    return { proxyUrl: proxyUrl.href };
  }
  return {
    natMap: Object.fromEntries(servers.map(({ host, port }, index) => [
      `${host}:${port}`,
      { host: "127.0.0.1", port: proxies[index]!.port },
    ])),
  };
}

async function launch(
  backend: Backend,
  hasSmallDisk: boolean,
  disposal: AsyncDisposableStack,
): Promise<{ url: string; servers: readonly Server[]; file?: string }> {
  switch (backend) {
    case "memory":
      return { url: "memory:", servers: [] };
    case "sqlite":
    case "deno":
    case "pglite": {
      const folder = await Deno.makeTempDir({ prefix: "kv-proof-" });
      disposal.defer(() => Deno.remove(folder, { recursive: true }));
      if (hasSmallDisk) disposal.use(await mountDisk(folder));
      const file = `${folder}/entries`;
      return { url: `${backend}:${file}`, servers: [], file };
    }
    case "postgres":
    case "pgbouncer": {
      const server = disposal.use(await startPostgres());
      return { url: server.url, servers: [server] };
    }
    case "mysql": {
      const server = disposal.use(await startMariadb());
      return { url: await createMysqlUser(server), servers: [server] };
    }
    case "redis": {
      const server = disposal.use(
        await startRedis({ settings: REDIS_SETTINGS }),
      );
      return { url: server.url, servers: [server] };
    }
    case "redis-cluster": {
      const { nodes, password } = disposal.use(
        await startRedisCluster({ settings: REDIS_SETTINGS }),
      );
      const hosts = nodes.map(({ host, port }) => `${host}:${port}`).join(",");
      return { url: `redis+cluster://:${password}@${hosts}`, servers: nodes };
    }
  }
}
