/** Starts private Redis Clusters. */
import { freshPassword } from "./password.ts";
import { freePort } from "./port.ts";
import { findPrograms } from "./programs.ts";
import {
  launchRedis,
  queryRedis,
  type RedisOptions,
  type StartContext,
} from "./redis.ts";
import { atPort, type Server } from "./server.ts";

/** A private Redis Cluster; its `url`, `host`, `port` and `password` are the first node's. */
export interface RedisCluster extends Server {
  /** The three masters, each of which can be killed and restarted alone. */
  readonly nodes: readonly Server[];
}

const SLOTS = ["0-5460", "5461-10922", "10923-16383"] as const;
const PATIENCE = 30_000;
const POLL = 25;

/** Starts a private Redis Cluster of three masters that share the slots evenly. */
export async function startRedisCluster(
  options: RedisOptions = {},
): Promise<RedisCluster> {
  const programs = await findPrograms("redis");
  return await launchRedisCluster(options, { programs, shared: false });
}

/** Starts a Redis Cluster out of given programs. */
export async function launchRedisCluster(
  options: RedisOptions,
  context: StartContext,
): Promise<RedisCluster> {
  const settings = {
    "cluster-enabled": "yes",
    "cluster-node-timeout": 5_000,
    ...options.settings,
  };
  const ports = SLOTS.map(freePort);
  const password = freshPassword();
  await using disposal = new AsyncDisposableStack();
  const nodes: Server[] = [];
  for (const [index, conf] of nodesConfs(ports).entries()) {
    const node = { port: ports[index]!, password, nodes: conf };
    nodes.push(disposal.use(await launchRedis({ settings }, context, node)));
  }
  await untilWhole(nodes);
  return new LocalRedisCluster(nodes, disposal.move());
}

/**
 * Returns each node's `nodes.conf` as it is after the nodes have met, because
 * meeting takes seconds.
 */
function nodesConfs(ports: readonly number[]): string[] {
  const ids = ports.map(() =>
    crypto.getRandomValues(new Uint8Array(20)).toHex()
  );
  return ports.map((_, self) => {
    const lines = ports.map((port, index) => {
      const flags = index === self ? "myself,master" : "master";
      return `${ids[index]} 127.0.0.1:${port}@${port + 10_000} ${flags} ` +
        `- 0 0 ${index + 1} connected ${SLOTS[index]}\n`;
    });
    return `${
      lines.join("")
    }vars currentEpoch ${ports.length} lastVoteEpoch 0\n`;
  });
}

class LocalRedisCluster implements RedisCluster {
  readonly nodes: readonly Server[];
  readonly #disposal: AsyncDisposableStack;

  constructor(nodes: readonly Server[], disposal: AsyncDisposableStack) {
    this.nodes = nodes;
    this.#disposal = disposal;
  }

  get url(): string {
    return this.nodes[0]!.url;
  }

  get host(): string {
    return this.nodes[0]!.host;
  }

  get port(): number {
    return this.nodes[0]!.port;
  }

  get password(): string {
    return this.nodes[0]!.password;
  }

  urlAt(port: number): string {
    return atPort(this.url, port);
  }

  async stop(): Promise<void> {
    await this.#disposal.disposeAsync();
  }

  async kill(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.kill()));
  }

  async restart(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.restart()));
    await untilWhole(this.nodes);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

/** Waits until every node knows the owner of every slot. */
async function untilWhole(nodes: readonly Server[]): Promise<void> {
  const deadline = Date.now() + PATIENCE;
  for (const node of nodes) {
    while (true) {
      const info = await queryRedis(node, "CLUSTER INFO");
      if (
        info.includes("cluster_state:ok") &&
        info.includes("cluster_slots_ok:16384")
      ) break;
      if (Date.now() > deadline) {
        throw new Error(
          `Cannot form the Redis Cluster: it took longer than ${PATIENCE} ms: ${info}`,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, POLL));
    }
  }
}
