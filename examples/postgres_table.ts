/**
 * A driver over a network: a table of PostgreSQL, by postgres.js. It is the
 * second worked example of the guide to writing a driver, and is small. Use
 * `PostgresKvStore` of `@org/kv/postgres` for work.
 *
 * @module
 */

import {
  compareStrings,
  decodeKey,
  decodeValue,
  encodeKey,
  encodeValue,
  idAfter,
  KeyLimit,
  type KeyRange,
  keyRange,
  type KvCall,
  type KvCasCall,
  KvCasDriver,
  type KvCodec,
  type KvKey,
  KvOutcomeUnknownError,
  type KvPageRequest,
  type KvSetCall,
  type KvStoredEntry,
  type KvStoreTraits,
  PageSize,
  retry,
} from "@org/kv/driver";
import type postgres from "postgres";

/** JSON unchanged; CBOR as base64 after a prefix that no JSON text starts with. */
const codec: KvCodec<string> = {
  encode(value) {
    const encoded = encodeValue(value);
    return encoded instanceof Uint8Array
      ? `cbor:${encoded.toBase64()}`
      : encoded;
  },
  decode: (stored) =>
    stored.startsWith("cbor:")
      ? decodeValue(Uint8Array.fromBase64(stored.slice(5)))
      : decodeValue(stored),
  bytes: (stored) => stored.length,
};

/** An index entry of PostgreSQL holds about 2,700 bytes. */
const KEYS = new KeyLimit(2_600);

const NOW = "floor(extract(epoch FROM clock_timestamp()) * 1000)";
const ALIVE = `(expires IS NULL OR expires > ${NOW})`;
/** The given expiry, or else that of a TTL, which may be NULL. */
const EXPIRY = `coalesce(moment, ${NOW} + ttl)`;
const REPLACE = "value = excluded.value, expires = excluded.expires";

/** The rows of a parameter. */
const ROWS = `jsonb_to_recordset($1::text::jsonb)
  AS r (key text, value text, moment bigint, ttl bigint, full_key text)`;

/** The items of a parameter: the client knows no arrays with `fetch_types: false`. */
const LIST = "(SELECT jsonb_array_elements_text($1::text::jsonb))";

type Row = [string, string, string | null, string | null, string | null];

/** A store in the table `entries` of a PostgreSQL database. */
export class TableKvStore extends KvCasDriver<string> {
  /** What the store is and what it does not guarantee. */
  readonly traits: KvStoreTraits = {
    driver: "table",
    persistent: true,
    shared: "network",
    maxValueBytes: 100_000_000,
    without: {},
  };
  readonly #sql: postgres.Sql;
  #opening: Promise<unknown> | undefined;
  #swept = 0;

  /** Creates a store on a client, which the caller closes. */
  constructor(sql: postgres.Sql) {
    super({ codec, maxCalls: 64, concurrency: 4, timeout: 30_000 });
    this.#sql = sql;
  }

  /** Executes a batch: one statement for each kind of call, and for each swap. */
  protected override async execute(
    calls: readonly KvCall<string>[],
  ): Promise<void> {
    try {
      await this.#open();
    } catch (error) {
      // Nothing was sent yet.
      return calls.forEach((call) => call.reject(error));
    }
    const of = <Kind extends KvCall["kind"]>(kind: Kind) =>
      calls.filter((call) => call.kind === kind) as Extract<
        KvCall<string>,
        { kind: Kind }
      >[];
    if (of("get").length < calls.length) await this.#sweepNowAndThen();
    await Promise.all([
      this.#settle(of("get"), async (gets) => {
        const rows = await this.#run<Row>(
          `SELECT key, value FROM entries WHERE key IN ${LIST} AND ${ALIVE}`,
          [JSON.stringify(gets.map(storedKeyOf))],
        );
        const values = new Map(rows.map(([key, value]) => [key, value]));
        for (const call of gets) call.found(values.get(storedKeyOf(call)));
      }),
      this.#settle(of("delete"), async (deletes) => {
        await this.#run(
          // The rows are locked in one order, so that no two batches deadlock.
          `DELETE FROM entries WHERE key IN (SELECT key FROM entries
           WHERE key IN ${LIST} ORDER BY key FOR UPDATE)`,
          [JSON.stringify(deletes.map(storedKeyOf))],
        );
        for (const call of deletes) call.resolve();
      }),
      this.#settle(of("set"), async (sets) => {
        await this.#run(
          `INSERT INTO entries (key, value, expires, full_key)
           SELECT key, value, ${EXPIRY}, full_key FROM ${ROWS} ORDER BY key
           ON CONFLICT (key) DO UPDATE SET ${REPLACE}`,
          [JSON.stringify(sets.map(rowOf))],
        );
        for (const call of sets) call.resolve();
      }),
      ...of("cas").map((call) => this.#settle([call], () => this.#swap(call))),
    ]);
  }

  /** One atomic statement, and another if the stored form is a different one. */
  async #swap(call: KvCasCall<string>): Promise<void> {
    const key = storedKeyOf(call);
    let { expected } = call;
    while (true) {
      const [statement, parameters] = swapOf(call, key, expected);
      if ((await this.#run(statement, parameters)).length > 0) {
        return call.resolve(true);
      }
      const [found] = await this.#run<[string]>(
        `SELECT value FROM entries WHERE key = $1 AND ${ALIVE}`,
        [key],
      );
      if (found === undefined && expected === undefined) continue;
      if (!call.matches(found?.[0])) return call.resolve(false);
      expected = found?.[0];
    }
  }

  /**
   * Retries what failed only for now, and rejects calls by what the error says:
   * the server undid the statement, or nobody knows.
   */
  async #settle<Call extends KvCall<string>>(
    calls: Call[],
    attempt: (calls: Call[]) => Promise<void>,
  ): Promise<void> {
    if (calls.length === 0) return;
    try {
      await retry(() => attempt(calls), {
        isTransient: (error) => /^40(001|P01)$/.test(codeOf(error)),
        timeout: 5_000,
      });
    } catch (error) {
      const isKnown = calls[0]!.kind === "get" || isCertain(codeOf(error));
      for (const call of calls) {
        call.reject(error, isKnown ? undefined : KvOutcomeUnknownError);
      }
    }
  }

  /** Pages by key ranges: nothing is held between two statements. */
  protected override async *pages(
    prefix: readonly string[],
    { after, reverse, limit }: KvPageRequest,
  ): AsyncGenerator<KvStoredEntry<string>[]> {
    await this.#open();
    // Long keys are stored under a digest, and come after the short ones.
    const { whole, shortened } = KEYS.ranges(prefix);
    const { first, last } = KeyLimit.digests;
    const ranges: KeyRange[] = whole === undefined ? [] : [keyRange(whole)];
    if (shortened !== undefined) {
      ranges.push({
        start: encodeKey([...shortened, first]),
        end: encodeKey([...shortened, last]),
      });
    }
    for (let { start, end } of reverse ? ranges.reverse() : ranges) {
      const size = new PageSize(Math.min(limit, 250), 1_000);
      let past = after && encodeKey(KEYS.stored(after));
      while (true) {
        if (past !== undefined && reverse) {
          if (end === undefined || compareStrings(past, end) < 0) end = past;
        } else if (past !== undefined) {
          const next = idAfter(past);
          if (compareStrings(next, start) > 0) start = next;
        }
        const time = Date.now();
        const rows = await this.#run<Row>(
          `SELECT key, value, full_key, expires::text, (expires - ${NOW})::text
           FROM entries WHERE key >= $1 AND ($2::text IS NULL OR key < $2)
             AND ${ALIVE}
           ORDER BY key ${reverse ? "DESC" : ""} LIMIT ${size.limit}`,
          [start, end ?? null],
        );
        const entries = rows.map(([key, value, fullKey, expires, left]) => ({
          key: decodeKey(fullKey ?? key),
          value,
          ...left === null
            ? {}
            : { expiry: time + Number(left), expires: Number(expires) },
        }));
        // A range of digests holds keys of other prefixes, too.
        yield entries.filter(({ key }) =>
          prefix.every((it, i) => it === key[i])
        );
        if (rows.length < size.limit) break;
        past = rows.at(-1)![0];
        size.learn(rows.length, rows.reduce((n, row) => n + row[1].length, 0));
      }
    }
  }

  /** Deletes some expired entries; a write does so now and then. */
  protected override async reclaim(): Promise<number> {
    await this.#open();
    // It checks `expires` in the statement that deletes: writes go on meanwhile.
    const rows = await this.#run(
      `DELETE FROM entries WHERE key IN (SELECT key FROM entries
       WHERE expires <= ${NOW} LIMIT 256 FOR UPDATE SKIP LOCKED) RETURNING 1`,
      [],
    );
    return rows.length;
  }

  async #sweepNowAndThen(): Promise<void> {
    if (performance.now() < this.#swept + 1_000) return;
    this.#swept = performance.now();
    // If something is wrong, the write reports it.
    await this.reclaim().catch(() => {});
  }

  /** Creates the table once; if that fails, the next call attempts it again. */
  #open(): Promise<unknown> {
    this.#opening ??= this.#run(
      `DO $$ BEGIN
         PERFORM pg_advisory_xact_lock(8114);
         CREATE TABLE IF NOT EXISTS entries (key text COLLATE "C" PRIMARY KEY,
           value text NOT NULL, full_key text, expires bigint);
         CREATE INDEX IF NOT EXISTS entries_expires ON entries (expires);
       END $$`,
      [],
    ).catch((error) => {
      this.#opening = undefined;
      throw error;
    });
    return this.#opening;
  }

  async #run<Columns extends unknown[]>(
    statement: string,
    parameters: unknown[],
  ): Promise<Columns[]> {
    const rows = await this.#sql.unsafe(statement, parameters as string[], {
      prepare: parameters.length > 0,
    }).values();
    return rows as unknown as Columns[];
  }
}

/** The statement that makes a swap: it returns a row if it did. */
function swapOf(
  call: KvCasCall<string>,
  key: string,
  expected: string | undefined,
): [statement: string, parameters: unknown[]] {
  const row = JSON.stringify([rowOf(call)]);
  if (expected === undefined && call.value === undefined) {
    return [
      `SELECT 1 WHERE NOT EXISTS (
        SELECT FROM entries WHERE key = $1 AND ${ALIVE})`,
      [key],
    ];
  }
  if (expected === undefined) {
    return [
      `INSERT INTO entries (key, value, expires, full_key)
       SELECT key, value, ${EXPIRY}, full_key FROM ${ROWS}
       ON CONFLICT (key) DO UPDATE SET ${REPLACE}
       WHERE entries.expires <= ${NOW} RETURNING 1`,
      [row],
    ];
  }
  if (call.value === undefined) {
    return [
      `DELETE FROM entries WHERE key = $1 AND value = $2 AND ${ALIVE}
       RETURNING 1`,
      [key, expected],
    ];
  }
  return [
    `UPDATE entries SET value = r.value, expires = ${EXPIRY} FROM ${ROWS}
     WHERE entries.key = r.key AND entries.value = $2 AND ${ALIVE} RETURNING 1`,
    [row, expected],
  ];
}

function rowOf(call: KvSetCall<string> | KvCasCall<string>) {
  const { id, value, expires, ttl } = call;
  const key = storedKeyOf(call);
  const full_key = key === id ? undefined : id;
  return expires === undefined
    ? { key, value, ttl, full_key }
    : { key, value, moment: expires, full_key };
}

function storedKeyOf({ key, id }: { key: KvKey; id: string }): string {
  const stored = KEYS.stored(key);
  return stored === key ? id : encodeKey(stored);
}

/** Whether an error proves that its statement changed nothing. */
function isCertain(code: string): boolean {
  // Five characters come from the server, which then undid the statement, unless
  // it or the connection was ending.
  return /^(?!08|57P)\w{5}$/.test(code) ||
    ["CONNECT_TIMEOUT", "CONNECTION_ENDED", "ECONNREFUSED"].includes(code);
}

function codeOf(error: unknown): string {
  return String((error as { code?: unknown } | null)?.code);
}
