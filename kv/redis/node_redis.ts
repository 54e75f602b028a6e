/**
 * Clients of node-redis, in the shape of those of ioredis that the store uses.
 *
 * @module
 */

// deno-lint-ignore-file no-explicit-any -- the clients' own types are overloads
import { Buffer } from "../core/builtin.ts";
import type { Argument, Command } from "./command_class.ts";
import { ABORTED, isServerError } from "./errors.ts";
import type { RedisClient } from "./ioredis.ts";

/*
 * node-redis writes the commands of a tick together, and rejects those that were
 * written when their connection breaks. Only a client for Sentinel sends them
 * again, to the next master, whether the former one has applied them or not.
 *
 * Each command is its own abort signal. The client adds a listener when it queues
 * the command, and removes it when it writes the command to the socket, so
 * whether a command was sent is known. A command that was sent to a client for
 * Sentinel is aborted for all further attempts.
 */

/**
 * A client of node-redis 5 or 6: what `createClient()`, `createClientPool()`,
 * `createCluster()` or `createSentinel()` return.
 *
 * @example Usage
 * ```ts
 * import type { NodeRedisClient } from "@org/kv/redis";
 * import { createClient } from "redis";
 *
 * const redis: NodeRedisClient = createClient();
 * ```
 */
export interface NodeRedisClient {
  /** The options that a client for one server was made with. */
  readonly options?: unknown;
  /** `MGET`, which no other library has under this name. */
  mGet(...args: any[]): Promise<any>;
  /** Sends a command. */
  sendCommand(...args: any[]): Promise<any>;
  /** Of node-redis since version 5. */
  withTypeMapping(mapping: any): unknown;
}

/** The four kinds of clients, by what only some of them have. */
interface AnyClient extends NodeRedisClient {
  /** Whether a client for one server is connected. */
  readonly isReady?: boolean;
  /** The nodes that a client for a Cluster knows. */
  readonly masters?: readonly object[];
  /** Makes a client for a node of a Cluster. */
  nodeClient?(node: object): AnyClient | Promise<AnyClient>;
  /** The address of the master that Sentinel names. */
  getMasterNode?(): unknown;
  /** What the client puts before every key. */
  readonly _keyPrefix?: unknown;
}

/** Strings as bytes, by the first byte of a reply: `$`, `+` and `=`. */
const TYPES = { 36: Buffer, 43: Buffer, 61: Buffer };

/** Errors of commands that were not sent, by the names of their classes. */
const UNSENT = ["TimeoutError", "CommandTimeoutDuringMaintenanceError"];

/** Whether something is a client of node-redis 5 or later. */
export function isNodeRedis(client: object): client is NodeRedisClient {
  const { mGet, sendCommand, withTypeMapping } = client as Record<
    string,
    unknown
  >;
  return [mGet, sendCommand, withTypeMapping].every((it) =>
    typeof it === "function"
  );
}

/**
 * Gives a client the shape of one of ioredis.
 *
 * @param client The client.
 * @returns What the store uses.
 */
export function adapt(client: NodeRedisClient): RedisClient {
  const { nodeClient } = client as AnyClient;
  return nodeClient === undefined ? new One(client) : new Cluster(client);
}

/** A client for one server, for a pool of connections to it, or for Sentinel. */
class One implements RedisClient {
  readonly options: RedisClient["options"];
  protected readonly client: AnyClient;
  readonly #isSentinel: boolean;

  constructor(client: NodeRedisClient) {
    this.client = client;
    const keyPrefix = this.client._keyPrefix;
    this.options = keyPrefix === undefined
      ? {}
      : { keyPrefix: keyPrefix as string };
    this.#isSentinel = this.client.getMasterNode !== undefined;
  }

  mgetBuffer(keys: string[]): Promise<never> {
    const command = new NodeRedisCommand("mget", keys);
    this.sendCommand(command as never);
    return command.promise as Promise<never>;
  }

  sendCommand(command: never): void {
    const own = command as NodeRedisCommand;
    own.isOnce = this.#isSentinel;
    own.promise = this.send(own).catch((error) => own.failed(error));
  }

  protected send(command: NodeRedisCommand): Promise<unknown> {
    const { client } = this;
    command.client = client;
    return this.#isSentinel
      ? client.sendCommand(false, command.line, command.options)
      : client.sendCommand(command.line, command.options);
  }
}

/** A client for a Cluster, which sends each command by the slot of its first key. */
class Cluster extends One {
  readonly #nodes = new WeakMap<object, ClusterNode>();

  nodes(): RedisClient[] {
    return (this.client.masters ?? []).map((master) => {
      let node = this.#nodes.get(master);
      if (node === undefined) {
        node = new ClusterNode(this.client, master);
        this.#nodes.set(master, node);
      }
      return node;
    });
  }

  protected override send(command: NodeRedisCommand): Promise<unknown> {
    const { name, args, line, options } = command;
    // A script has its digest and the number of keys in front.
    const key = args[name.startsWith("eval") ? 2 : 0];
    return this.client.sendCommand(key, false, line, options);
  }
}

/** A node of a Cluster. */
class ClusterNode extends One {
  readonly #node: object;

  constructor(client: NodeRedisClient, node: object) {
    super(client);
    this.#node = node;
  }

  protected override async send(command: NodeRedisCommand): Promise<unknown> {
    const client = await this.client.nodeClient!(this.#node);
    return client.sendCommand(command.line, command.options);
  }
}

/** A command, with what the store uses of one of ioredis. */
class NodeRedisCommand implements Command {
  name: string;
  args: Argument[];
  promise: Promise<unknown> = Promise.resolve();
  /** Whether a client that sends it again must not. */
  isOnce = false;
  /** The client for one server that it was given to. */
  client: AnyClient | undefined;
  #isWritten = false;

  constructor(name: string, args: Argument[]) {
    this.name = name;
    this.args = args;
  }

  /** All that is sent. */
  get line(): Argument[] {
    return [this.name.toUpperCase(), ...this.args];
  }

  /** How to send it. */
  get options(): object {
    return { typeMapping: TYPES, abortSignal: this };
  }

  reject(error: unknown): void {
    this.promise = Promise.reject(error);
  }

  /** Is called when the command is known to have been sent. */
  toWritable(_socket: unknown): string {
    return "";
  }

  transformReply(reply: unknown): unknown {
    return reply;
  }

  get aborted(): boolean {
    return this.isOnce && this.#isWritten;
  }

  addEventListener(): void {}

  removeEventListener(): void {
    // Without a connection, the client gives up a command that it has not sent.
    if (this.client?.isReady !== false) this.#isWritten = true;
  }

  /** Tells an answer of the server from a connection that broke before it. */
  failed(error: unknown): never {
    const isLost = this.#isWritten && !isServerError(error) &&
      !UNSENT.includes((error as Error)?.constructor.name);
    if (!isLost) throw error;
    this.toWritable(undefined);
    throw new Error(ABORTED, { cause: error });
  }
}
