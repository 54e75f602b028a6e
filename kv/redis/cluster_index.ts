/**
 * The index of keys in a Cluster: the index is written before the data.
 *
 * @module
 */

import type { KvCall } from "../core/call.ts";
import { KvError } from "../errors.ts";
import type { RedisClient } from "./client.ts";
import { readNumber, unexpected } from "./codec.ts";
import type { RedisCommands } from "./commands.ts";
import { Cork } from "./cork.ts";
import { isAborted, reasonOf } from "./errors.ts";
import { Evaluation } from "./evaluate.ts";
import { ADD, MARK, UNMARK } from "./index_scripts.ts";
import { type Cleaned, KeyIndex } from "./key_index.ts";
import type { EntryReader } from "./read.ts";
import type { Script } from "./scripts.ts";
import type { RedisWriter } from "./write.ts";

/*
 * Data and index are on different nodes, so nothing writes both in one step. An id
 * is added before its data is written, and it must not be taken out between the
 * two. So an id without data is first marked with the time. Adding the id takes
 * the mark away. Only when the mark is older than a minute, there is still no
 * data, and the mark is still the same, the id is taken out. So a write would have to
 * reach its node a minute after it was added to the index. If a store notices
 * that, it adds the id again.
 */

/** The number of sorted sets, which the nodes share; it cannot be changed later. */
const SETS = 16;

/** How long a write may be under way, in seconds. */
const QUARANTINE = 60;

/** How many ids are added or marked by one script. */
const SCRIPT_KEYS = 512;

/** An index in several sorted sets. */
export class ClusterIndex extends KeyIndex {
  protected override readonly often = 128;
  readonly #reader: EntryReader;
  readonly #writer: RedisWriter;

  /**
   * Makes an index.
   *
   * @param client The client.
   * @param commands Issues its commands.
   * @param prefix What all names of the store start with.
   * @param reader Reads entries.
   * @param writer Executes calls.
   */
  constructor(
    client: RedisClient,
    commands: RedisCommands,
    prefix: string,
    reader: EntryReader,
    writer: RedisWriter,
  ) {
    // "{}" hides the tag that brings a set and its marks to the same node.
    if (prefix.includes("{}")) {
      throw new TypeError(
        "Cannot create a RedisKvStore: keyPrefix must not contain {} with the " +
          `option index: received ${JSON.stringify(prefix.slice(0, -1))}`,
      );
    }
    const sets = Array.from(
      { length: SETS },
      (_, i) => `${prefix} {${i}} index`,
    );
    super(client, commands, prefix, sets);
    this.#reader = reader;
    this.#writer = writer;
  }

  override async execute(calls: readonly KvCall[]): Promise<void> {
    const writes: KvCall[] = [];
    const others: KvCall[] = [];
    let dying = 0;
    for (const call of calls) {
      if (call.value === undefined) others.push(call);
      else writes.push(call);
      if (call.kind === "delete" || call.ttl !== undefined) dying++;
    }
    if (writes.length === 0) await this.#writer.execute(others);
    else if (others.length === 0) await this.#write(writes);
    else await Promise.all([this.#writer.execute(others), this.#write(writes)]);
    if (dying > 0) await this.wrote(dying);
  }

  /** Executes calls that write data, after their ids were added. */
  async #write(calls: readonly KvCall[]): Promise<void> {
    const start = performance.now();
    const bySet = Map.groupBy(calls, ({ id }) => setOf(id));
    const added: KvCall[] = [];
    await Promise.all(
      this.#corked([...bySet], async ([set, calls]) => {
        try {
          await this.#evaluate(ADD, set, calls.map(({ id }) => id));
          added.push(...calls);
        } catch (error) {
          if (isAborted(error)) await this.commands.recover();
          const reason = reasonOf(error);
          for (const call of calls) call.reject(reason, KvError);
        }
      }),
    );
    if (added.length > 0) await this.#writer.execute(added);
    if (performance.now() - start > QUARANTINE * 500) {
      await this.add(added.map(({ id }) => id)).catch(() => {});
    }
  }

  override async add(ids: readonly string[]): Promise<void> {
    await this.#inSets(ids, (set, ids) => this.#evaluate(ADD, set, ids));
  }

  override async drop(ids: readonly string[]): Promise<number> {
    const marks = new Map<string, string>();
    await this.#inSets(ids, async (set, ids) => {
      const reply = await this.#evaluate(MARK, set, [`${QUARANTINE}`, ...ids]);
      if (!Array.isArray(reply)) throw unexpected(reply);
      for (let i = 0; i < reply.length; i += 2) {
        marks.set(String(reply[i]), String(reply[i + 1]));
      }
    });
    if (marks.size === 0) return 0;
    let removed = 0;
    await this.#inSets(
      await this.#missing([...marks.keys()]),
      async (set, ids) => {
        const args = ids.flatMap((id) => [id, marks.get(id)!]);
        removed += readNumber(await this.#evaluate(UNMARK, set, args));
      },
    );
    return removed;
  }

  protected override async clean(ids: readonly string[]): Promise<Cleaned> {
    const stale = await this.#missing(ids);
    return { stale: stale.length, removed: await this.drop(stale) };
  }

  /** Which of some ids have no data. */
  async #missing(ids: readonly string[]): Promise<string[]> {
    const names = ids.map((id) => this.prefix + id);
    const entries = await this.#reader.read(names, 0);
    return ids.filter((_, i) => entries[i] === undefined);
  }

  /** Does something with the ids of each set, some hundreds at a time. */
  async #inSets(
    ids: readonly string[],
    action: (set: number, ids: string[]) => Promise<unknown>,
  ): Promise<void> {
    const chunks: [set: number, ids: string[]][] = [];
    for (const [set, all] of Map.groupBy(ids, setOf)) {
      for (let i = 0; i < all.length; i += SCRIPT_KEYS) {
        chunks.push([set, all.slice(i, i + SCRIPT_KEYS)]);
      }
    }
    await Promise.all(this.#corked(chunks, ([set, ids]) => action(set, ids)));
  }

  #corked<T>(
    items: readonly T[],
    action: (item: T) => Promise<unknown>,
  ): Promise<unknown>[] {
    const cork = new Cork(this.client);
    try {
      return items.map(action);
    } finally {
      cork.remove();
    }
  }

  #evaluate(script: Script, set: number, args: string[]): Promise<unknown> {
    const keys = [this.sets[set]!, `${this.prefix} {${set}} marks`];
    return new Evaluation(this.commands, script, keys, args).reply;
  }
}

/** The number of the set of an id: by FNV-1a. */
function setOf(id: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < id.length; i++) {
    hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193);
  }
  // The low bits of similar ids are similar.
  return (hash ^ hash >>> 16) & (SETS - 1);
}
