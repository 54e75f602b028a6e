/**
 * Values that are too large for one entry of Deno KV.
 *
 * Their encoding is cut into chunks, which are written once, under a random id,
 * and never changed. The entry itself refers to that id, and is written in the
 * same commit as the last chunks or after it. A reader that finds all chunks of
 * an id therefore has the whole value; one that misses a chunk finds another
 * value in the entry when it reads the entry again.
 *
 * A write that replaces a large value seldom knows that it does. Each id
 * therefore has a record of the key and the number of chunks. Writes look at a
 * few records in passing, and delete the chunks that no entry refers to.
 *
 * @module
 */

import { digestOf } from "./digest.ts";
import type { DenoKvAtomic, DenoKvEntry, DenoKvKey } from "./client.ts";
import { type DenoDatabase, MAX_READS, OWN } from "./database.ts";
import { type Chunks, chunksOf, isOf, refersTo } from "./codec.ts";
import { DamagedEntry } from "./errors.ts";
import { isSameKey, isStoredKey } from "./key.ts";
import type { KvKey } from "../store.ts";

/** The bytes of a chunk, below the 65,536 of a value. */
const CHUNK_BYTES = 61_440;
/** How many chunks a commit may write, below its 819,200 bytes. */
const CHUNKS_PER_COMMIT = 11;
/** How many chunks a commit may delete. */
const DELETES_PER_COMMIT = 250;
/**
 * After how many milliseconds a write that has not ended is given up. Chunks
 * outlive their entry by as long.
 */
const PATIENCE = 3_600_000;
const GIVEN_UP = "it took more than an hour to write the value";

/** What is recorded about the chunks of an id. */
interface Record {
  /** The key of the entry that refers to them, as it is stored. */
  readonly key: KvKey;
  /** How many chunks there are. */
  readonly count: number;
  /** When a write began that has yet to write the entry. */
  readonly pending?: number;
}

/** The record in an entry, if it is one that this module writes. */
function recordOf({ value }: DenoKvEntry): Record | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { key, count, pending } = value as Partial<Record>;
  const isRecord = isStoredKey(key) && Number.isSafeInteger(count) &&
    count! >= 0 && (pending === undefined || Number.isFinite(pending));
  return isRecord ? value as Record : undefined;
}

function recordKey(id: string): DenoKvKey {
  return [OWN, "large", id];
}

function chunkKey(id: string, index: number): DenoKvKey {
  return [OWN, "chunk", id, index];
}

/** The chunks of a value that is to be written. */
export class LargeWrite {
  readonly #db: DenoDatabase;
  readonly #key: KvKey;
  readonly #data: Uint8Array;
  readonly #id: string = crypto.randomUUID();
  readonly #count: number;
  #digest: string | undefined;
  readonly #options: { expireIn?: number };
  /** The version of the record, once it is written with the first chunks. */
  #staged: string | undefined;

  /**
   * Cuts an encoded value into chunks.
   *
   * @param db Where to write.
   * @param key The key of the entry, as it is stored.
   * @param data The encoded value.
   * @param ttl How long the entry lives.
   */
  constructor(
    db: DenoDatabase,
    key: KvKey,
    data: Uint8Array,
    ttl: number | undefined,
  ) {
    this.#db = db;
    this.#key = key;
    this.#data = data;
    this.#options = ttl === undefined ? {} : { expireIn: ttl + PATIENCE };
    this.#count = Math.ceil(data.length / CHUNK_BYTES);
  }

  /** What the entry refers to, once the chunks are staged. */
  get chunks(): Chunks {
    return {
      id: this.#id,
      count: this.#count,
      bytes: this.#data.length,
      digest: this.#digest!,
    };
  }

  /** Writes what does not fit into the commit of the entry. */
  async stage(): Promise<void> {
    if (this.#digest !== undefined) return;
    this.#digest = await digestOf(this.#data);
    if (this.#count <= CHUNKS_PER_COMMIT) return;
    const pending = Date.now();
    for (let i = 0; i < this.#count; i += CHUNKS_PER_COMMIT) {
      const version = await this.#db.commit((atomic) => {
        if (this.#staged === undefined) this.#writeRecord(atomic, pending);
        else this.#checkRecord(atomic, this.#staged);
        this.#writeChunks(atomic, i);
      });
      if (version === undefined) throw new Error(GIVEN_UP);
      this.#staged ??= version;
    }
  }

  /** Adds to the commit of the entry what belongs to the chunks. */
  complete(atomic: DenoKvAtomic): void {
    if (this.#staged === undefined) this.#writeChunks(atomic, 0);
    else this.#checkRecord(atomic, this.#staged);
    this.#writeRecord(atomic);
  }

  /**
   * Makes sure, if the commit of the entry failed, that it was not for want of
   * chunks.
   *
   * @throws {Error} If they were given up.
   */
  async assertStaged(): Promise<void> {
    if (this.#staged === undefined) return;
    const { versionstamp } = await this.#db.get(recordKey(this.#id));
    if (versionstamp !== this.#staged) throw new Error(GIVEN_UP);
  }

  /** Removes what was written, as well as possible, if the entry was not. */
  async undo(): Promise<void> {
    if (this.#staged === undefined) return;
    await deleteChunks(this.#db, this.#id, this.#count).catch(() => {});
  }

  #checkRecord(atomic: DenoKvAtomic, versionstamp: string) {
    atomic.check({ key: recordKey(this.#id), versionstamp });
  }

  #writeRecord(atomic: DenoKvAtomic, pending?: number) {
    const record: Record = {
      key: this.#key,
      count: this.#count,
      ...(pending === undefined ? {} : { pending }),
    };
    atomic.set(recordKey(this.#id), record, this.#options);
  }

  #writeChunks(atomic: DenoKvAtomic, from: number) {
    const end = Math.min(this.#count, from + CHUNKS_PER_COMMIT);
    for (let i = from; i < end; i++) {
      const start = i * CHUNK_BYTES;
      const chunk = this.#data.subarray(start, start + CHUNK_BYTES);
      atomic.set(chunkKey(this.#id, i), chunk, this.#options);
    }
  }
}

/**
 * Puts chunks together.
 *
 * @param db Where to read.
 * @param chunks What an entry refers to.
 * @returns The encoded value.
 * @throws {DamagedEntry} If a chunk is missing, or is not what was written.
 */
export async function readChunks(
  db: DenoDatabase,
  { id, count, bytes, digest }: Chunks,
): Promise<Uint8Array> {
  // Memory is taken for what there is, whatever the entry says that there is.
  const parts: Uint8Array[] = [];
  let length = 0;
  const range = { start: chunkKey(id, 0), end: chunkKey(id, count) };
  for await (const page of db.pages(range)) {
    for (const { value } of page) {
      if (!isOf("Uint8Array", value)) {
        throw new DamagedEntry("a part of the value is not bytes");
      }
      length += value.length;
      if (length > bytes) throw new DamagedEntry("the value is too long");
      parts.push(value);
    }
  }
  if (parts.length < count || length < bytes) {
    throw new DamagedEntry("a part of the value is missing");
  }
  const data = new Uint8Array(bytes);
  let end = 0;
  for (const part of parts) {
    data.set(part, end);
    end += part.length;
  }
  if (await digestOf(data) !== digest) {
    throw new DamagedEntry("the value is not the one that was written");
  }
  return data;
}

/** Chunks that may be deleted together with the entry that refers to them. */
export interface OwnChunks {
  /** What the chunks have in common. */
  readonly id: string;
  /** How many there are. */
  readonly count: number;
}

/**
 * The chunks of an entry, if they belong to it and one commit can delete them.
 * An entry that was forged or copied refers to the chunks of another one, whose
 * record names another key.
 *
 * @param db Where to read.
 * @param entry The entry.
 * @returns The chunks, or `undefined`.
 */
export async function ownChunks(
  db: DenoDatabase,
  entry: DenoKvEntry,
): Promise<OwnChunks | undefined> {
  const chunks = chunksOf(entry.value);
  if (chunks === undefined) return undefined;
  const record = recordOf(await db.get(recordKey(chunks.id)));
  return record !== undefined && record.count <= DELETES_PER_COMMIT &&
      isSameKey(record.key, entry.key)
    ? { id: chunks.id, count: record.count }
    : undefined;
}

/** Adds the deletion of chunks to a commit. */
export function removeChunks(
  atomic: DenoKvAtomic,
  { id, count }: OwnChunks,
): void {
  for (let i = 0; i < count; i++) atomic.delete(chunkKey(id, i));
  atomic.delete(recordKey(id));
}

async function deleteChunks(db: DenoDatabase, id: string, count: number) {
  for (let i = 0; i < count; i += DELETES_PER_COMMIT) {
    await db.commit((atomic) => {
      const end = Math.min(count, i + DELETES_PER_COMMIT);
      for (let j = i; j < end; j++) atomic.delete(chunkKey(id, j));
      if (end === count) atomic.delete(recordKey(id));
    });
  }
}

/**
 * Deletes the chunks that no entry refers to.
 *
 * One step looks at a few records, those that come after the last ones. As each
 * large write makes one record and looks at ten, there is never much more
 * garbage than a tenth of the records.
 */
export class ChunkCollector {
  readonly #db: DenoDatabase;
  #after: DenoKvKey = recordKey(crypto.randomUUID());

  constructor(db: DenoDatabase) {
    this.#db = db;
  }

  /** Looks at the next records. */
  async step(): Promise<void> {
    const found = await this.#db.first(
      [...this.#after, ""],
      [OWN, "large", false],
      MAX_READS,
    );
    this.#after = found.length < MAX_READS
      ? [OWN, "large"]
      : found.at(-1)!.key as DenoKvKey;
    const records: Found[] = [];
    for (const entry of found) {
      const record = recordOf(entry);
      const id = entry.key[2];
      if (record === undefined || typeof id !== "string") continue;
      records.push({ id, record, versionstamp: entry.versionstamp });
    }
    if (records.length === 0) return;
    const entries = await this.#db.getMany(
      records.map(({ record }) => record.key),
    );
    for (const [i, each] of records.entries()) {
      if (isGarbage(each, entries[i]!)) await this.#collect(each);
    }
  }

  /** Deletes the last chunks of an id, and the record with the first of them. */
  async #collect({ id, record, versionstamp }: Found) {
    const key = recordKey(id);
    const count = Math.max(0, record.count - DELETES_PER_COMMIT);
    await this.#db.commit((atomic) => {
      atomic.check({ key, versionstamp });
      for (let i = count; i < record.count; i++) {
        atomic.delete(chunkKey(id, i));
      }
      if (count === 0) atomic.delete(key);
      else atomic.set(key, { ...record, count });
    });
  }
}

/** A record that was found. */
interface Found {
  /** What the chunks have in common. */
  readonly id: string;
  readonly record: Record;
  readonly versionstamp: string | null;
}

/** Whether no entry refers to chunks. The entry must be read after the record. */
function isGarbage({ id, record }: Found, entry: DenoKvEntry): boolean {
  const { pending } = record;
  return !refersTo(entry.value, id) &&
    (pending === undefined || pending < Date.now() - PATIENCE);
}
