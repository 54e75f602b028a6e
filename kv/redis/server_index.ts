/**
 * The index of keys on one server: data and index are written in one step.
 *
 * @module
 */

import type { KvCall } from "../core/call.ts";
import type { RedisClient } from "./client.ts";
import { argument, readNumber } from "./codec.ts";
import type { Argument } from "./command_class.ts";
import type { RedisCommands } from "./commands.ts";
import { Cork } from "./cork.ts";
import { isRejection } from "./errors.ts";
import { Evaluation } from "./evaluate.ts";
import { DROP, INDEX, WRITE } from "./index_scripts.ts";
import { type Cleaned, KeyIndex } from "./key_index.ts";
import {
  chunksOf,
  COMMAND_KEYS,
  fail,
  type KvBlindCall,
  type RedisWriter,
} from "./write.ts";
import { lifeOf } from "./scripts.ts";

/** How many ids are added by one command. */
const ADD_KEYS = 1024;

/** The name of the index of a server. */
export function serverIndexOf(prefix: string): string {
  return prefix + INDEX;
}

/** An index in one sorted set. */
export class ServerIndex extends KeyIndex {
  protected override readonly often = 64;
  readonly #set: string;
  readonly #writer: RedisWriter;

  /**
   * Makes an index.
   *
   * @param client The client.
   * @param commands Issues its commands.
   * @param prefix What all names of the store start with.
   * @param writer Executes reads and swaps.
   */
  constructor(
    client: RedisClient,
    commands: RedisCommands,
    prefix: string,
    writer: RedisWriter,
  ) {
    const set = serverIndexOf(prefix);
    super(client, commands, prefix, [set]);
    this.#set = set;
    this.#writer = writer;
  }

  override async execute(calls: readonly KvCall[]): Promise<void> {
    const writes: KvBlindCall[] = [];
    const others: KvCall[] = [];
    let mortal = 0;
    for (const call of calls) {
      if (call.kind === "set" || call.kind === "delete") writes.push(call);
      else others.push(call);
      if (call.ttl !== undefined) mortal++;
    }
    const cork = new Cork(this.client);
    const answers: Promise<void>[] = [];
    try {
      if (others.length > 0) answers.push(this.#writer.execute(others));
      for (const chunk of chunksOf(writes, COMMAND_KEYS)) {
        answers.push(this.#write(chunk));
        cork.flush();
      }
    } finally {
      cork.remove();
    }
    await Promise.all(answers);
    if (mortal > 0) await this.wrote(mortal);
  }

  override async add(ids: readonly string[]): Promise<void> {
    for (let i = 0; i < ids.length; i += ADD_KEYS) {
      const members = ids.slice(i, i + ADD_KEYS).flatMap((id) => ["0", id]);
      await this.commands.send("zadd", [this.#set, ...members]).reply;
    }
  }

  override async drop(ids: readonly string[]): Promise<number> {
    const names = ids.map((id) => this.prefix + id);
    const keys = [this.#set, ...names];
    return readNumber(
      await new Evaluation(this.commands, DROP, keys, []).reply,
    );
  }

  protected override async clean(ids: readonly string[]): Promise<Cleaned> {
    const removed = ids.length === 0 ? 0 : await this.drop(ids);
    return { stale: removed, removed };
  }

  /** Writes by one script, or each alone if it is rejected. */
  async #write(calls: readonly KvBlindCall[]): Promise<void> {
    const keys = [this.#set];
    const args: Argument[] = [];
    for (const call of calls) {
      const { id, value } = call;
      keys.push(this.prefix + id);
      args.push(value === undefined ? "" : argument(value), lifeOf(call));
    }
    const sent = new Evaluation(this.commands, WRITE, keys, args);
    try {
      readNumber(await sent.reply);
    } catch (error) {
      if (isRejection(error) && calls.length > 1) {
        await Promise.all(calls.map((call) => this.#write([call])));
      } else {
        for (const call of calls) fail(call, sent, error);
      }
      return;
    }
    for (const call of calls) call.resolve();
  }
}
