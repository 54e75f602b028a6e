import { ask } from "./ask.ts";
import { temporaryFolder } from "./folder.ts";
import { freePort } from "./port.ts";
import { commandOf, findPrograms, type Programs } from "./programs.ts";
import { type Server, WatchedServer } from "./server.ts";

/** Options for {@linkcode startRedis} and {@linkcode startRedisCluster}. */
export interface RedisOptions {
  /**
   * Settings of `redis.conf`, besides and over those that the server gets
   * anyway: an append-only file and no snapshots. Only with `appendfsync` set to
   * `"always"` is every acknowledged write in it when the server is killed.
   *
   * @default {{ appendonly: "yes", appendfsync: "everysec", save: "" }}
   */
  settings?: Readonly<Record<string, string | number>>;
}

/** What every starter gets besides the caller's options. */
export interface StartContext {
  /** The programs to use. */
  programs: Programs;
  /** Whether the server outlives the thread that starts it. */
  shared: boolean;
}

/** Starts a private Redis. */
export async function startRedis(options: RedisOptions = {}): Promise<Server> {
  const programs = await findPrograms("redis");
  return await launchRedis(options, { programs, shared: false });
}

/** What a node of a cluster has when it starts. */
export interface RedisNode {
  /** The port that the other nodes know. */
  port: number;
  /** The contents of its `nodes.conf`. */
  nodes: string;
}

/** Starts a Redis out of given programs, alone or as a node of a cluster. */
export async function launchRedis(
  options: RedisOptions,
  { programs, shared }: StartContext,
  node?: RedisNode,
): Promise<Server> {
  const folder = await temporaryFolder("redis");
  const port = node?.port ?? freePort();
  const settings = {
    bind: "127.0.0.1",
    appendonly: "yes",
    appendfsync: "everysec",
    save: "",
    ...options.settings,
    port,
    dir: folder,
  };
  return await WatchedServer.start({
    name: "Redis",
    url: `redis://127.0.0.1:${port}`,
    port,
    folder,
    command: [
      "sh",
      "-c",
      'test -z "$1" || test -e nodes.conf || echo "$1" >nodes.conf; ' +
      'shift; exec "$@"',
      "sh",
      node?.nodes ?? "",
      ...commandOf(programs, "redis-server"),
      ...Object.entries(settings).flatMap(([name, value]) => [
        `--${name}`,
        String(value),
      ]),
    ],
    signal: "KILL",
    shared,
    async isReady() {
      return (await askRedis(port, "PING")).startsWith("+PONG");
    },
  });
}

/** Sends a short command and returns its raw reply: `""` if nobody answers. */
export async function askRedis(port: number, command: string): Promise<string> {
  const request = new TextEncoder().encode(`${command}\r\n`);
  return new TextDecoder().decode(await ask(port, request));
}
