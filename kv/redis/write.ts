/**
 * What carries calls to Redis: few commands, many in one write.
 *
 * @module
 */

import type { Buffer } from "../core/builtin.ts";
import type {
  KvCall,
  KvDeleteCall,
  KvGetCall,
  KvSetCall,
} from "../core/call.ts";
import { KvError, KvOutcomeUnknownError } from "../errors.ts";
import type { RedisClient } from "./client.ts";
import {
  argument,
  assertWritten,
  readValue,
  readValues,
  stored,
} from "./codec.ts";
import type { Argument } from "./command_class.ts";
import type { RedisCommands, SentCommand } from "./commands.ts";
import { Cork } from "./cork.ts";
import { isAborted, isRejection, isWrongType, reasonOf } from "./errors.ts";
import { SetUntil } from "./set_until.ts";
import { Swap } from "./swap.ts";

/** About how many bytes one command carries, or brings back. */
const COMMAND_BYTES = 65_536;

/** The most keys in one command. */
export const COMMAND_KEYS = 64;

/** With so many calls sent, a server should begin with its work. */
const FLUSH_CALLS = 32;

/** A write that replaces whatever there is. */
export type KvBlindCall = KvSetCall | KvDeleteCall;

/** Sends calls, and settles them. */
export class RedisWriter {
  readonly #client: RedisClient;
  readonly #commands: RedisCommands;
  readonly #prefix: string;
  readonly #isOneSlot: boolean;
  readonly #index: string | undefined;
  #valueBytes = COMMAND_BYTES / 32;

  /**
   * Makes what executes the calls of a store.
   *
   * @param client The client.
   * @param commands Issues its commands.
   * @param prefix What all names of the store start with.
   * @param isOneSlot Whether a command may touch several keys.
   * @param index The name of the index that swaps have to maintain, if any.
   */
  constructor(
    client: RedisClient,
    commands: RedisCommands,
    prefix: string,
    isOneSlot: boolean,
    index: string | undefined,
  ) {
    this.#client = client;
    this.#commands = commands;
    this.#prefix = prefix;
    this.#isOneSlot = isOneSlot;
    this.#index = index;
  }

  /** Sends calls at once, in few commands where they are in one slot. */
  execute(calls: readonly KvCall[]): Promise<void> {
    if (calls.length === 1) return this.#sendOne(calls[0]!);
    const answers: Promise<void>[] = [];
    const cork = new Cork(this.#client);
    try {
      let alone: KvCall[] = [];
      for (const same of Map.groupBy(calls, commandOf).values()) {
        for (const chunk of chunksOf(same, this.#maxKeys(same[0]!))) {
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

  #maxKeys({ kind, ttl }: KvCall): number {
    if (!this.#isOneSlot) return 1;
    if (kind === "get") return this.#readKeys;
    // No command writes several entries with a TTL, and a script is slower.
    return kind === "cas" || ttl !== undefined ? 1 : COMMAND_KEYS;
  }

  /** How many values to read by one command. */
  get #readKeys(): number {
    const keys = Math.floor(COMMAND_BYTES / this.#valueBytes);
    return Math.max(1, Math.min(COMMAND_KEYS, keys));
  }

  /** Sends one command for calls of one kind, or each alone if it is rejected. */
  #sendTogether(calls: readonly KvCall[]): Promise<void> {
    const { kind } = calls[0]!;
    const [name, args] = this.#join(kind, calls);
    const sent = this.#commands.send(name, args);
    return kind === "get"
      ? this.#readTogether(calls as KvGetCall[], sent, args)
      : this.#writeTogether(calls as KvBlindCall[], sent);
  }

  async #writeTogether(
    calls: readonly KvBlindCall[],
    sent: SentCommand,
  ): Promise<void> {
    try {
      assertWritten(await sent.reply, calls[0]!.kind === "delete");
    } catch (error) {
      if (isRejection(error)) return await this.#sendEach(calls);
      if (isAborted(error)) await this.#commands.recover();
      for (const call of calls) fail(call, sent, error);
      return;
    }
    for (const call of calls) call.resolve();
  }

  async #readTogether(
    calls: readonly KvGetCall[],
    sent: SentCommand,
    args: Argument[],
  ): Promise<void> {
    let values: (Buffer | null)[];
    try {
      values = readValues(await this.#reread(sent, args), calls.length);
    } catch (error) {
      if (isRejection(error)) return await this.#sendEach(calls);
      for (const call of calls) fail(call, sent, error);
      return;
    }
    for (let i = 0; i < calls.length; i++) this.#found(calls[i]!, values[i]!);
  }

  async #reread(sent: SentCommand, args: Argument[]): Promise<unknown> {
    try {
      return await sent.reply;
    } catch (error) {
      return await this.#commands.readAgain(error, "mget", args);
    }
  }

  #join(kind: KvCall["kind"], calls: readonly KvCall[]): [string, Argument[]] {
    const names = calls.map(({ id }) => this.#prefix + id);
    if (kind === "get") return ["mget", names];
    if (kind === "delete") return ["del", names];
    const args: Argument[] = [];
    for (const [i, { value }] of calls.entries()) {
      args.push(names[i]!, argument(value!));
    }
    return ["mset", args];
  }

  /** Sends a command for each call. */
  async #sendEach(calls: readonly KvCall[]): Promise<void> {
    await Promise.all(calls.map((call) => this.#sendOne(call)));
  }

  /** Sends a command for a call, and settles it when it is answered. */
  #sendOne(call: KvCall): Promise<void> {
    const sent = this.#issue(call);
    return sent.reply.then(
      (reply) => this.#settle(call, sent, reply),
      (error) => this.#failOne(call, sent, error),
    );
  }

  #issue(call: KvCall): SentCommand {
    const name = this.#prefix + call.id;
    switch (call.kind) {
      case "get":
        return this.#commands.send("get", [name]);
      case "delete":
        return this.#commands.send("del", [name]);
      case "set": {
        const { value, expires } = call;
        if (expires !== undefined) {
          return new SetUntil(this.#commands, name, argument(value), expires);
        }
        const args = [name, argument(value)];
        if (call.ttl !== undefined) args.push("PX", `${call.ttl}`);
        return this.#commands.send("set", args);
      }
      case "cas":
        return new Swap(this.#commands, name, call, this.#index);
    }
  }

  #settle(call: KvCall, sent: SentCommand, reply: unknown): void {
    let value: Buffer | null = null;
    try {
      if (call.kind === "get") value = readValue(reply);
      else if (call.kind !== "cas") {
        assertWritten(reply, call.kind === "delete");
      }
    } catch (error) {
      return fail(call, sent, error);
    }
    if (call.kind === "get") this.#found(call, value);
    else if (call.kind === "cas") call.resolve(reply as boolean);
    else call.resolve();
  }

  async #failOne(
    call: KvCall,
    sent: SentCommand,
    error: unknown,
  ): Promise<void> {
    if (call.kind === "get") return await this.#failGet(call, sent, error);
    if (isAborted(error)) await this.#commands.recover();
    fail(call, sent, error);
  }

  async #failGet(
    call: KvGetCall,
    sent: SentCommand,
    error: unknown,
  ): Promise<void> {
    let value: Buffer | null = null;
    try {
      const args = [this.#prefix + call.id];
      value = readValue(await this.#commands.readAgain(error, "get", args));
    } catch (latest) {
      // What is not a string is not an entry; `MGET` does not mind.
      if (!isWrongType(latest)) return fail(call, sent, latest);
    }
    this.#found(call, value);
  }

  #found(call: KvGetCall, value: Buffer | null): void {
    // How large values are decides how many of them one command reads.
    const bytes = value?.length ?? 0;
    this.#valueBytes += (bytes + 1 - this.#valueBytes) / COMMAND_KEYS;
    call.found(value ? stored(value) : undefined);
  }
}

/** Splits calls for the same command into those that fit into one. */
export function* chunksOf<Call extends KvCall>(
  calls: readonly Call[],
  maxKeys: number,
): Generator<readonly Call[]> {
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
  if (start < calls.length) yield calls.slice(start);
}

/** Rejects a call, and tells whether its command may have been applied. */
export function fail(call: KvCall, sent: SentCommand, error: unknown): void {
  if (error instanceof KvError) return call.reject(error);
  const isUnknown = sent.mayBeApplied(error) && call.kind !== "get";
  call.reject(reasonOf(error), isUnknown ? KvOutcomeUnknownError : KvError);
}

/** What tells calls apart that cannot share a command. */
function commandOf({ kind, ttl }: KvCall): string {
  return ttl === undefined ? kind : `${kind} with TTL`;
}
