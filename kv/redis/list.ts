/**
 * Listing: collects the keys, and reads the values page by page.
 *
 * @module
 */

import { compareStrings, decodeKey, encodeKey } from "../core/key.ts";
import type { KvPageRequest, KvStoredEntry } from "../core/listing.ts";
import { PAGE_BYTES, PageSize } from "../core/paging.ts";
import type { RedisClient } from "./client.ts";
import type { RedisCommands } from "./commands.ts";
import { reasonOf } from "./errors.ts";
import type { KeyIndex } from "./key_index.ts";
import { idOf } from "./names.ts";
import type { EntryReader, FoundEntry } from "./read.ts";
import { scanNames } from "./scan.ts";
import { KeySorter } from "./sort.ts";

/** About how many bytes of values are read at once, unless one has more. */
const MAX_BYTES = 2 * PAGE_BYTES;

/** Encoded keys, in key order. */
interface SortedIds {
  /** Returns the next ones; none if all were returned. */
  take(count: number): string[] | Promise<string[]>;
}

/** Lists the entries of a store. */
export class RedisLister {
  readonly #client: RedisClient;
  readonly #commands: RedisCommands;
  readonly #prefix: string;
  readonly #reader: EntryReader;
  readonly #index: KeyIndex | undefined;

  /**
   * Makes a lister.
   *
   * @param client The client.
   * @param commands Issues its commands.
   * @param prefix What all names of the store start with.
   * @param reader Reads entries.
   * @param index The index of keys, if there is one.
   */
  constructor(
    client: RedisClient,
    commands: RedisCommands,
    prefix: string,
    reader: EntryReader,
    index: KeyIndex | undefined,
  ) {
    this.#client = client;
    this.#commands = commands;
    this.#prefix = prefix;
    this.#reader = reader;
    this.#index = index;
  }

  /**
   * Lists entries.
   *
   * @param prefix The parts that their keys start with.
   * @param request What else the core wants.
   * @returns The entries, in pages.
   */
  async *pages(
    prefix: readonly string[],
    request: KvPageRequest,
  ): AsyncGenerator<KvStoredEntry[]> {
    try {
      yield* this.#allPages(prefix, request);
    } catch (error) {
      throw reasonOf(error);
    }
  }

  async *#allPages(
    prefix: readonly string[],
    request: KvPageRequest,
  ): AsyncGenerator<KvStoredEntry[]> {
    const keys: SortedIds = this.#index?.read(prefix, request) ??
      await this.#collect(prefix, request);
    const size = new PageSize();
    while (true) {
      const ids = await keys.take(Math.min(size.limit, request.limit));
      if (ids.length === 0) return;
      let total = 0;
      for (const part of partsOf(ids)) {
        const bytes = request.keysOnly ? 0 : MAX_BYTES;
        const entries = await this.#read(part, bytes);
        if (this.#index !== undefined) {
          const missing = part.filter((_, i) => entries[i] === undefined);
          if (missing.length > 0) await this.#index.drop(missing);
        }
        for (const [i, id] of part.entries()) {
          total += id.length + (request.keysOnly ? 0 : entries[i]?.bytes ?? 0);
        }
        yield* this.#pagesOf(part, entries, request);
      }
      size.learn(ids.length, total);
    }
  }

  /** Collects the encoded keys under a prefix. */
  async #collect(
    prefix: readonly string[],
    request: KvPageRequest,
  ): Promise<KeySorter> {
    const { reverse, alive } = request;
    const start = prefix.length === 0 ? "" : encodeKey(prefix);
    const after = request.after && encodeKey(request.after);
    const keys = new KeySorter(reverse);
    await scanNames(
      this.#client,
      this.#commands,
      this.#prefix + start,
      (names) => {
        alive();
        for (const name of names) {
          const id = idOf(name, this.#prefix);
          if (id === undefined || !isUnder(id, prefix.length, start)) continue;
          if (after !== undefined) {
            const order = compareStrings(id, after);
            if (reverse ? order >= 0 : order <= 0) continue;
          }
          keys.add(id);
        }
      },
    );
    return keys;
  }

  #read(
    ids: readonly string[],
    maxBytes?: number,
  ): Promise<(FoundEntry | undefined)[]> {
    return this.#reader.read(ids.map((id) => this.#prefix + id), maxBytes);
  }

  /** Yields entries, and reads those values that were too large before. */
  async *#pagesOf(
    ids: readonly string[],
    entries: (FoundEntry | undefined)[],
    { keysOnly }: KvPageRequest,
  ): AsyncGenerator<KvStoredEntry[]> {
    let page: KvStoredEntry[] = [];
    for (let i = 0; i < ids.length; i++) {
      if (entries[i] === undefined) continue;
      if (entries[i]!.value === undefined && !keysOnly) {
        if (page.length > 0) yield page;
        page = [];
        await this.#readLarge(ids, entries, i);
      }
      const entry = entries[i];
      entries[i] = undefined;
      if (entry === undefined) continue;
      const { value, expiry, expires } = entry;
      page.push({ key: decodeKey(ids[i]!), value, expiry, expires });
    }
    if (page.length > 0) yield page;
  }

  /** Reads large values from a place on, at least one and not many bytes. */
  async #readLarge(
    ids: readonly string[],
    entries: (FoundEntry | undefined)[],
    start: number,
  ): Promise<void> {
    const places: number[] = [];
    let total = 0;
    for (let i = start; i < ids.length; i++) {
      const entry = entries[i];
      if (entry === undefined || entry.value !== undefined) continue;
      total += entry.bytes;
      if (places.length > 0 && total > MAX_BYTES) break;
      places.push(i);
    }
    const read = await this.#read(places.map((i) => ids[i]!));
    for (const [j, i] of places.entries()) entries[i] = read[j];
  }
}

/** Cuts keys into parts of about {@linkcode PAGE_BYTES}. */
function* partsOf(ids: readonly string[]): Generator<readonly string[]> {
  let start = 0;
  let bytes = 0;
  for (let end = 1; end <= ids.length; end++) {
    bytes += ids[end - 1]!.length;
    if (bytes < PAGE_BYTES && end < ids.length) continue;
    yield start === 0 && end === ids.length ? ids : ids.slice(start, end);
    start = end;
    bytes = 0;
  }
}

/** Whether an encoded key starts with the parts of an encoded prefix. */
function isUnder(id: string, parts: number, start: string): boolean {
  return parts === 0 || id.length === start.length || id[start.length] === "!";
}
