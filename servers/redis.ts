/** Starts private Redis servers. */
import { temporaryFolder } from "./folder.ts";
import { freshPassword } from "./password.ts";
import { freePort } from "./port.ts";
import type { Programs } from "./product.ts";
import { commandOf, findPrograms } from "./programs.ts";
import { query } from "./query.ts";
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
  /** The password that all nodes share. */
  password: string;
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
  const password = node?.password ?? freshPassword();
  const settings = {
    bind: "127.0.0.1",
    appendonly: "yes",
    appendfsync: "everysec",
    save: "",
    ...options.settings,
    port,
    dir: `${folder}/data`,
    requirepass: password,
    masterauth: password,
  };
  return await WatchedServer.start({
    name: "Redis",
    url: `redis://:${password}@127.0.0.1:${port}`,
    port,
    password,
    folder,
    // A file rather than arguments, which every local user can read.
    command: [
      "sh",
      "-c",
      "umask 077; " +
      'test -z "$KV_NODES" || test -e nodes.conf || echo "$KV_NODES" >nodes.conf; ' +
      'printf "%s" "$KV_SETTINGS" >redis.conf; exec "$@"',
      "sh",
      ...commandOf(programs, "redis-server"),
      `${folder}/data/redis.conf`,
    ],
    env: { KV_NODES: node?.nodes ?? "", KV_SETTINGS: configFile(settings) },
    signal: "KILL",
    shared,
    async isReady() {
      const reply = await queryRedis({ port, password }, "PING");
      return reply.startsWith("+PONG");
    },
  });
}

function configFile(settings: Record<string, string | number>): string {
  return Object.entries(settings)
    .map(([name, value]) => `${name} ${JSON.stringify(String(value))}\n`)
    .join("");
}

/** Sends a short command and returns its raw reply: `""` if it fails. */
export async function queryRedis(
  { port, password }: { port: number; password: string },
  command: string,
): Promise<string> {
  const request = `AUTH ${password}\r\n${command}\r\n`;
  const reply = await query(port, new TextEncoder().encode(request));
  const [authenticated, ...rest] = new TextDecoder().decode(reply)
    .split("\r\n");
  return authenticated === "+OK" ? rest.join("\r\n") : "";
}
