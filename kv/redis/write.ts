/**
 * What carries calls to Redis: few commands, many in one write.
 *
 * @module
 */

import type { Buffer } from "node:buffer";
import type { KvCall, KvGetCall } from "../core/call.ts";
import { isRejectedCommand, isWrongType, type RedisClient } from "./client.ts";
import { Attempt, type RedisConnections } from "./connections.ts";
import { Cork } from "./cork.ts";
import { swap } from "./swap.ts";
import { argument, stored } from "./codec.ts";

/** About how many bytes one command carries, or brings back. */
const COMMAND_BYTES = 65_536;

/** The most keys in one command. */
export const COMMAND_KEYS = 64;

/** With so many calls sent, a server should begin with its work. */
const FLUSH_CALLS = 32;

/** A hash tag, which alone decides on the slot of a key that starts with it. */
const HASH_TAG = /^[^{]*\{[^}]+\}/;

/** Sends calls, and settles them. */
export class RedisWriter {
  readonly #client: RedisClient;
  readonly #connections: RedisConnections;
  readonly #prefix: string;
  /** Whether one command may touch several keys: never those of two slots. */
  readonly isOneSlot: boolean;
  #valueBytes = COMMAND_BYTES / 32;

  constructor(
    client: RedisClient,
    connections: RedisConnections,
    prefix: string,
  ) {
    this.#client = client;
    this.#connections = connections;
    this.#prefix = prefix;
    this.isOneSlot = client.nodes === undefined ||
      HASH_TAG.test(outerPrefix(client, prefix));
  }

  /** About how many bytes the values read lately had. */
  get valueBytes(): number {
    return this.#valueBytes;
  }

  /** Sends calls at once, in few commands where they are in one slot. */
  execute(calls: readonly KvCall[]): Promise<void> {
    if (calls.length === 1) return this.#sendOne(calls[0]!);
    const answers: Promise<void>[] = [];
    const cork = new Cork(this.#client);
    try {
      let alone: KvCall[] = [];
      for (const same of Map.groupBy(calls, commandOf).values()) {
        for (const chunk of this.#chunks(same)) {
          if (chunk.length > 1) {
            answers.push(this.#sendTogether(chunk));
            cork.flush();
          } else if (alone.push(chunk[0]!) >= FLUSH_CALLS * cork.nodes) {
            answers.push(this.#sendEach(alone));
            cork.flush();
            alone = [];
          }
        }
      }
      if (alone.length > 0) answers.push(this.#sendEach(alone));
    } finally {
      cork.remove();
    }
    return Promise.all(answers).then(() => {});
  }

  /** Splits calls for the same command into those that fit into one. */
  *#chunks(calls: readonly KvCall[]): Generator<readonly KvCall[]> {
    const maxKeys = this.#maxKeys(calls[0]!);
    let start = 0;
    let bytes = 0;
    for (let i = 0; i < calls.length; i++) {
      bytes += calls[i]!.bytes;
      if (i > start && (i === start + maxKeys || bytes > COMMAND_BYTES)) {
        yield calls.slice(start, i);
        start = i;
        bytes = calls[i]!.bytes;
      }
    }
    yield calls.slice(start);
  }

  #maxKeys({ kind, ttl }: KvCall): number {
    if (!this.isOneSlot) return 1;
    if (kind === "get") return this.readKeys;
    // No command writes several entries with a TTL, and a script is slower.
    return kind === "cas" || ttl !== undefined ? 1 : COMMAND_KEYS;
  }

  /** How many values to read by one command. */
  get readKeys(): number {
    const keys = Math.floor(COMMAND_BYTES / this.#valueBytes);
    return Math.max(1, Math.min(COMMAND_KEYS, keys));
  }

  /** Learns from a value that was read how large they are. */
  learn(value: Buffer | null): void {
    const bytes = value?.length ?? 0;
    this.#valueBytes += (bytes + 1 - this.#valueBytes) / COMMAND_KEYS;
  }

  /** Sends one command for calls of one kind, or each alone if it is refused. */
  async #sendTogether(calls: readonly KvCall[]): Promise<void> {
    const attempt = new Attempt(this.#connections);
    try {
      const answer = await this.#connections.answer(() => this.#join(calls));
      for (let i = 0; i < calls.length; i++) {
        this.#settle(calls[i]!, Array.isArray(answer) ? answer[i] : answer);
      }
    } catch (error) {
      if (isRejectedCommand(error)) return this.#sendEach(calls);
      for (const call of calls) this.#fail(call, error, attempt);
    }
  }

  #join(calls: readonly KvCall[]): Promise<unknown> {
    const { kind } = calls[0]!;
    if (kind === "set") {
      const entries: (string | Buffer)[] = [];
      for (const { id, value } of calls) {
        entries.push(this.#prefix + id, argument(value!));
      }
      return this.#client.mset(...entries);
    }
    const names = calls.map(({ id }) => this.#prefix + id);
    return kind === "get"
      ? this.#client.mgetBuffer(names)
      : this.#client.del(names);
  }

  #sendOne(call: KvCall): Promise<void> {
    const attempt = new Attempt(this.#connections);
    return this.#connections.answer(() => this.#send(call)).then(
      (answer) => this.#settle(call, answer),
      (error) => this.#fail(call, error, attempt),
    );
  }

  /** Sends a command for each call, and settles it when it is answered. */
  #sendEach(calls: readonly KvCall[]): Promise<void> {
    const attempt = new Attempt(this.#connections);
    return this.#connections.answer(() =>
      new Promise<void>((resolve) => {
        let left = calls.length;
        const done = () => {
          if (--left === 0) resolve();
        };
        for (const call of calls) {
          this.#send(call).then(
            (answer) => {
              this.#settle(call, answer);
              done();
            },
            (error) => {
              this.#fail(call, error, attempt);
              done();
            },
          );
        }
      })
    ).catch((error) => {
      for (const call of calls) {
        if (!call.settled) this.#fail(call, error, attempt);
      }
    });
  }

  #send(call: KvCall): Promise<unknown> {
    const { kind, id, value, ttl } = call;
    const name = this.#prefix + id;
    switch (kind) {
      case "get":
        return this.#client.getBuffer(name);
      case "delete":
        return this.#client.del([name]);
      case "set":
        return ttl === undefined
          ? this.#client.set(name, argument(value!))
          : this.#client.psetex(name, ttl, argument(value!));
      case "cas":
        return swap(this.#client, this.#connections, name, call);
    }
  }

  #settle(call: KvCall, answer: unknown): void {
    if (call.kind === "get") this.#found(call, answer as Buffer | null);
    else if (call.kind !== "cas") call.resolve();
  }

  #found(call: KvGetCall, value: Buffer | null): void {
    this.learn(value);
    call.found(value ? stored(value) : undefined);
  }

  #fail(call: KvCall, error: unknown, attempt: Attempt): void {
    // What is no string is no entry; `MGET` does not mind.
    if (call.kind === "get" && isWrongType(error)) call.found(undefined);
    else attempt.reject(call, error);
  }
}

/** What a client and a store put in front of every key. */
export function outerPrefix({ options }: RedisClient, prefix: string): string {
  return `${options.keyPrefix ?? ""}${prefix}`;
}

/** What tells calls apart that no one command can carry out. */
function commandOf({ kind, ttl }: KvCall): string {
  return ttl === undefined ? kind : `${kind} with TTL`;
}
