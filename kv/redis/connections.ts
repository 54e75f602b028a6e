/**
 * What the connections of a client have been through, to tell whether an answer
 * can be trusted.
 *
 * @module
 */

import type { KvCall } from "../core/call.ts";
import { KvError, KvOutcomeUnknownError } from "../errors.ts";
import { isServerError, type RedisClient } from "./client.ts";

/*
 * When a connection breaks, ioredis keeps the commands that were not answered
 * and sends them again on the next connection; a Cluster sends them to whichever
 * node has the slot then. A swap that the server had already made is then made
 * anew, fails because of itself, and is answered with `false`; or it is made
 * twice, if another client has put the expected value back in between. Nothing
 * in the answer tells. But ioredis writes a command only while a connection is
 * ready, so a command cannot have been sent twice unless a ready connection was
 * lost after it was issued, and its `close` event comes long before an answer on
 * the next one. Hence the counts below, which cannot miss a second attempt;
 * on a Cluster they also take the loss of another node's connection for one.
 *
 * With `autoResendUnfulfilledCommands: false`, ioredis forgets such commands and
 * never settles them; so does a client that ends between two connections.
 */

/** The connections of a client, watched once for all stores on it. */
export class RedisConnections {
  static readonly #known = new WeakMap<RedisClient, RedisConnections>();

  readonly #client: RedisClient;
  readonly #waiting: Waiting[] = [];
  readonly #watched = new WeakSet<RedisClient>();
  readonly #ready = new Set<RedisClient>();
  #opened = 0;
  #lost = 0;

  private constructor(client: RedisClient) {
    this.#client = client;
    const watch = (node: RedisClient) => this.#watch(node);
    if (client.nodes === undefined) {
      watch(client);
    } else {
      client.on("+node", watch);
      client.nodes("all").forEach(watch);
    }
    client.on("end", () => this.#forget(this.#lost));
  }

  /** The connections of a client. */
  static of(client: RedisClient): RedisConnections {
    let connections = RedisConnections.#known.get(client);
    if (connections === undefined) {
      connections = new RedisConnections(client);
      RedisConnections.#known.set(client, connections);
    }
    return connections;
  }

  /** How many connections were lost after they had become ready. */
  get lost(): number {
    return this.#lost;
  }

  /** How many connections have become ready. */
  get opened(): number {
    return this.#opened;
  }

  /** Whether a command that is issued now may be sent at once. */
  get isReady(): boolean {
    return this.#ready.size > 0 || this.#client.status === "ready";
  }

  /**
   * Sends a command and waits for its answer, unless the client forgets it.
   *
   * @param send Sends the command.
   */
  answer<T>(send: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const reply = send();
      const waiting = { lost: this.#lost, reject, place: this.#waiting.length };
      this.#waiting.push(waiting);
      reply.then((value) => {
        this.#remove(waiting);
        resolve(value);
      }, (error) => {
        this.#remove(waiting);
        reject(error);
      });
    });
  }

  #remove(waiting: Waiting) {
    const { place } = waiting;
    if (this.#waiting[place] !== waiting) return;
    const last = this.#waiting.pop()!;
    if (last === waiting) return;
    this.#waiting[place] = last;
    last.place = place;
  }

  #watch(node: RedisClient) {
    if (this.#watched.has(node)) return;
    this.#watched.add(node);
    if (node.status === "ready") this.#ready.add(node);
    node.on("ready", () => {
      this.#ready.add(node);
      this.#opened++;
      if (node.options.autoResendUnfulfilledCommands === false) {
        this.#forget(this.#lost - 1);
      }
    });
    node.on("close", () => {
      if (this.#ready.delete(node)) this.#lost++;
    });
  }

  /** Gives up what was issued before so many connections were lost. */
  #forget(lost: number) {
    if (this.#waiting.length === 0) return;
    // What ioredis itself rejects is rejected by then.
    setTimeout(() => {
      for (const waiting of this.#waiting.slice()) {
        if (waiting.lost > lost) continue;
        this.#remove(waiting);
        waiting.reject(new Error("the connection broke before the answer"));
      }
    }, 0);
  }
}

interface Waiting {
  /** How many connections had been lost when the command was issued. */
  readonly lost: number;
  readonly reject: (error: Error) => void;
  /** Its index among all that wait. */
  place: number;
}

/** What may have happened to a command since it was issued. */
export class Attempt {
  readonly #connections: RedisConnections;
  readonly #lost: number;
  readonly #opened: number;
  readonly #wasReady: boolean;

  /** To be made when the command is issued. */
  constructor(connections: RedisConnections) {
    this.#connections = connections;
    this.#lost = connections.lost;
    this.#opened = connections.opened;
    this.#wasReady = connections.isReady;
  }

  /** Whether it may have been sent more than once. */
  get isRepeated(): boolean {
    return this.#connections.lost !== this.#lost;
  }

  /** Rejects a call whose command failed, or whose answer cannot be trusted. */
  reject(call: KvCall, cause: unknown): void {
    if (cause instanceof KvError) return call.reject(cause);
    const changed = call.kind !== "get" && !this.#changedNothing(cause);
    call.reject(cause, changed ? KvOutcomeUnknownError : KvError);
  }

  #changedNothing(cause: unknown): boolean {
    if (isServerError(cause)) return !this.isRepeated;
    // With `commandTimeout`, a command that timed out may yet be sent.
    return !this.#wasReady && this.#connections.opened === this.#opened &&
      !/timed out/.test(String(cause));
  }
}
