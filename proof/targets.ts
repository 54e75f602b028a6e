/** What histories are played on: a new server, or a file. */
import {
  type RedisCluster,
  type Server,
  startMariadb,
  startPostgres,
  startRedis,
  startRedisCluster,
} from "../servers/mod.ts";
import { FaultProxy } from "../testing/fault_proxy.ts";
import type { Backend } from "./stores.ts";

/** A server or a file. */
export interface Target extends AsyncDisposable {
  readonly backend: Backend;
  /** The URL that the writers open. */
  readonly url: string;
  /** The servers; none if the backend is embedded. */
  readonly servers: readonly Server[];
  /** The proxy between the writers and the server, if there is one. */
  readonly proxy?: FaultProxy;
  /** The file of an embedded backend. */
  readonly file?: string;
}

/** An acknowledged write must survive a kill. */
const REDIS_SETTINGS = { appendfsync: "always" };

/** Starts what a backend needs, with a proxy in front of it if it is to be cut. */
export async function startTarget(
  backend: Backend,
  isCut: boolean,
): Promise<Target> {
  await using disposal = new AsyncDisposableStack();
  const base = await launch(backend, disposal);
  const [server] = base.servers;
  const proxy = isCut && server !== undefined
    ? disposal.use(await FaultProxy.start(server.port))
    : undefined;
  const moved = disposal.move();
  return {
    backend,
    ...base,
    ...(proxy === undefined ? {} : { proxy, url: server!.urlAt(proxy.port) }),
    [Symbol.asyncDispose]: () => moved.disposeAsync(),
  };
}

async function launch(
  backend: Backend,
  disposal: AsyncDisposableStack,
): Promise<Pick<Target, "url" | "servers" | "file">> {
  switch (backend) {
    case "memory":
      return { url: "memory:", servers: [] };
    case "sqlite":
    case "deno": {
      const folder = await Deno.makeTempDir({ prefix: "kv-proof-" });
      disposal.defer(() => Deno.remove(folder, { recursive: true }));
      const file = `${folder}/entries`;
      return { url: `${backend}:${file}`, servers: [], file };
    }
    case "postgres": {
      const server = disposal.use(await startPostgres());
      return { url: server.url, servers: [server] };
    }
    case "mysql": {
      const server = disposal.use(await startMariadb());
      return { url: server.url, servers: [server] };
    }
    case "redis": {
      const server = disposal.use(
        await startRedis({ settings: REDIS_SETTINGS }),
      );
      return { url: server.url, servers: [server] };
    }
    case "redis-cluster": {
      const cluster = disposal.use(
        await startRedisCluster({ settings: REDIS_SETTINGS }),
      );
      return { url: clusterUrl(cluster), servers: cluster.nodes };
    }
  }
}

function clusterUrl({ nodes, password }: RedisCluster): string {
  const hosts = nodes.map(({ host, port }) => `${host}:${port}`).join(",");
  return `redis+cluster://:${password}@${hosts}`;
}
