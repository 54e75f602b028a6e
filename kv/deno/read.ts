/**
 * Reading single entries of Deno KV: ten at once, each with an outcome of its
 * own.
 *
 * @module
 */

import type { KvGetCall } from "../core/call.ts";
import type { DenoKvEntry } from "./client.ts";
import { type DenoValue, isChunks, open } from "./codec.ts";
import type { DenoDatabase } from "./database.ts";
import { fail } from "./errors.ts";
import { storedKey } from "./key.ts";
import { load } from "./list.ts";

type Call = KvGetCall<DenoValue>;

/** Executes the reading calls of a store. */
export class DenoReader {
  readonly #db: DenoDatabase;

  constructor(db: DenoDatabase) {
    this.#db = db;
  }

  /** Executes and settles calls. */
  execute(calls: readonly Call[]): Promise<void> {
    return calls.length === 1
      ? this.#get(calls[0]!)
      : this.#db.inTens(calls, (ten) => this.#getMany(ten));
  }

  #get(call: Call): Promise<void> {
    const now = Date.now();
    return this.#db.get(storedKey(call.key)).then(
      (entry) => this.#answer(call, entry, now),
      (error) => fail(call, error),
    );
  }

  async #getMany(calls: readonly Call[]): Promise<void> {
    const now = Date.now();
    let entries: DenoKvEntry[];
    try {
      entries = await this.#db.getMany(calls.map(({ key }) => storedKey(key)));
    } catch (error) {
      for (const call of calls) fail(call, error);
      return;
    }
    const loading: Promise<void>[] = [];
    for (const [i, call] of calls.entries()) {
      const answered = this.#answer(call, entries[i]!, now);
      if (answered !== undefined) loading.push(answered);
    }
    if (loading.length > 0) await Promise.all(loading);
  }

  /** Settles a call: at once, unless its value is in chunks. */
  #answer(
    call: Call,
    entry: DenoKvEntry,
    now: number,
  ): Promise<void> | undefined {
    try {
      const { stored } = open(entry, now, call.key);
      if (isChunks(stored)) return this.#load(call, entry, now);
      call.found(stored);
    } catch (error) {
      fail(call, error);
    }
    return undefined;
  }

  async #load(call: Call, entry: DenoKvEntry, now: number): Promise<void> {
    try {
      call.found((await load(this.#db, entry, now, call.key)).stored);
    } catch (error) {
      fail(call, error);
    }
  }
}
