/**
 * Values that are too large for one entry of Deno KV.
 *
 * Their encoding stands in chunks, which are written once, under a random id,
 * and never changed. The entry itself refers to that id, and is written with
 * the last of them or after them. So whoever finds all chunks of an id has the
 * whole value; whoever misses one finds another value in the entry by now.
 *
 * A write that replaces a large value seldom knows that it does. So for each id
 * there is a record of the key and of the number of chunks, and writes look at
 * a few of the records in passing: what no entry refers to any more is deleted.
 *
 * @module
 */

import type { DenoKvAtomic, DenoKvEntry, DenoKvKey } from "./client.ts";
import { type DenoDatabase, MAX_READS, OWN } from "./database.ts";
import { type Chunks, chunksOf } from "./codec.ts";

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
  readonly key: DenoKvKey;
  /** How many chunks there are. */
  readonly count: number;
  /** When a write began that has yet to write the entry. */
  readonly pending?: number;
}

function recordKey(id: string): DenoKvKey {
  return [OWN, "large", id];
}

function chunkKey(id: string, index: number): DenoKvKey {
  return [OWN, "chunk", id, index];
}

/** The chunks of a value that is to be written. */
export class LargeWrite {
  /** What the entry refers to. */
  readonly chunks: Chunks;
  readonly #db: DenoDatabase;
  readonly #key: DenoKvKey;
  readonly #data: Uint8Array;
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
    key: DenoKvKey,
    data: Uint8Array,
    ttl: number | undefined,
  ) {
    this.#db = db;
    this.#key = key;
    this.#data = data;
    this.#options = ttl === undefined ? {} : { expireIn: ttl + PATIENCE };
    this.chunks = {
      id: crypto.randomUUID(),
      count: Math.ceil(data.length / CHUNK_BYTES),
      bytes: data.length,
    };
  }

  /** Writes what does not fit into the commit of the entry. */
  async stage(): Promise<void> {
    const { count } = this.chunks;
    if (count <= CHUNKS_PER_COMMIT) return;
    const pending = Date.now();
    for (let i = 0; i < count; i += CHUNKS_PER_COMMIT) {
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
    const { versionstamp } = await this.#db.get(recordKey(this.chunks.id));
    if (versionstamp !== this.#staged) throw new Error(GIVEN_UP);
  }

  /** Removes what was written, as well as possible, if the entry was not. */
  async undo(): Promise<void> {
    if (this.#staged === undefined) return;
    await deleteChunks(this.#db, this.chunks).catch(() => {});
  }

  #checkRecord(atomic: DenoKvAtomic, versionstamp: string) {
    atomic.check({ key: recordKey(this.chunks.id), versionstamp });
  }

  #writeRecord(atomic: DenoKvAtomic, pending?: number) {
    const { id, count } = this.chunks;
    const record: Record = {
      key: this.#key,
      count,
      ...(pending === undefined ? {} : { pending }),
    };
    atomic.set(recordKey(id), record, this.#options);
  }

  #writeChunks(atomic: DenoKvAtomic, from: number) {
    const { id, count } = this.chunks;
    for (let i = from; i < count && i < from + CHUNKS_PER_COMMIT; i++) {
      const start = i * CHUNK_BYTES;
      const chunk = this.#data.subarray(start, start + CHUNK_BYTES);
      atomic.set(chunkKey(id, i), chunk, this.#options);
    }
  }
}

/**
 * Puts chunks together.
 *
 * @param db Where to read.
 * @param chunks What an entry refers to.
 * @returns The encoded value, or `undefined` if a chunk is missing.
 */
export async function readChunks(
  db: DenoDatabase,
  { id, count, bytes }: Chunks,
): Promise<Uint8Array | undefined> {
  const data = new Uint8Array(bytes);
  let end = 0;
  for await (const page of db.pages(chunkKey(id, 0), chunkKey(id, count))) {
    for (const { value } of page) {
      const chunk = value as Uint8Array;
      if (end + chunk.length > bytes) return undefined;
      data.set(chunk, end);
      end += chunk.length;
    }
  }
  return end === bytes ? data : undefined;
}

/** Adds the deletion of chunks, if they are few enough, to a commit. */
export function removeChunks(
  atomic: DenoKvAtomic,
  { id, count }: Chunks,
): void {
  if (count > DELETES_PER_COMMIT) return;
  for (let i = 0; i < count; i++) atomic.delete(chunkKey(id, i));
  atomic.delete(recordKey(id));
}

async function deleteChunks(db: DenoDatabase, { id, count }: Chunks) {
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
    const records = await this.#db.first(
      [...this.#after, ""],
      [OWN, "large", false],
      MAX_READS,
    );
    this.#after = records.length < MAX_READS
      ? [OWN, "large"]
      : records.at(-1)!.key as DenoKvKey;
    if (records.length === 0) return;
    const entries = await this.#db.getMany(
      records.map(({ value }) => (value as Record).key),
    );
    for (const [i, record] of records.entries()) {
      if (isGarbage(record, entries[i]!)) await this.#collect(record);
    }
  }

  /** Deletes the last chunks of an id, and the record with the first of them. */
  async #collect({ key: itsKey, value, versionstamp }: DenoKvEntry) {
    const key = itsKey as DenoKvKey;
    const record = value as Record;
    const count = Math.max(0, record.count - DELETES_PER_COMMIT);
    await this.#db.commit((atomic) => {
      atomic.check({ key, versionstamp });
      for (let i = count; i < record.count; i++) {
        atomic.delete(chunkKey(idOf(key), i));
      }
      if (count === 0) atomic.delete(key);
      else atomic.set(key, { ...record, count });
    });
  }
}

/** The entry must have been read after the record. */
function isGarbage(record: DenoKvEntry, entry: DenoKvEntry): boolean {
  const { pending } = record.value as Record;
  return chunksOf(entry.value)?.id !== idOf(record.key) &&
    (pending === undefined || pending < Date.now() - PATIENCE);
}

function idOf(key: readonly unknown[]): string {
  return key.at(-1) as string;
}
