/**
 * The table of a MySQL store that is open: running its statements.
 *
 * @module
 */

import { Buffer, createHash } from "../core/builtin.ts";
import type { KvCall } from "../core/call.ts";
import { utf8Length } from "../core/key.ts";
import { PAGE_BYTES } from "../core/paging.ts";
import { UnexpectedAnswer } from "../sql/errors.ts";
import { StoredKeys } from "../sql/operations.ts";
import { boundsOf } from "../sql/range.ts";
import type { SqlTable } from "../sql/table.ts";
import type { TableName } from "../sql/table_name.ts";
import type { Answer, Column, Parameter, Query } from "./client.ts";
import { quoted } from "./schema.ts";
import {
  type Form,
  pageStatement,
  statementsOn,
  TAG_UNIT,
  TAGS,
} from "./sql.ts";

/** mysql2 3.24 fails at parameters from 65,535 bytes up to 16 MiB. */
const MAX_PARAMETER_BYTES = 65_534;

/** The most rows of a page, which has the bytes of their keys too. */
const MAX_ROWS = 512;

/** What a statement takes besides its parameters, generously. */
const OVERHEAD_BYTES = 2_048;

/**
 * Returns the statements on a table that is open.
 *
 * @param query Runs a statement.
 * @param name The name with the database in which the table is.
 * @param keyBytes The most bytes of a stored key.
 * @param packetBytes The most bytes of a statement with its parameters.
 * @param swaps The most swaps or creations in a statement.
 */
export function tableOn(
  query: Query,
  name: TableName,
  { keyBytes, packetBytes, swaps }: Readonly<
    Record<"keyBytes" | "packetBytes" | "swaps", number>
  >,
): SqlTable<Buffer> {
  const table = quoted(name);
  const statement = statementsOn(table);
  function run(
    form: Form,
    length: number,
    parameters: readonly Parameter[],
    parts = 1,
  ): Promise<Answer> {
    return query(statement(form, length, parts), parameters);
  }
  async function runOnRows(form: Form, keys: Buffer[]): Promise<number> {
    if (keys.length === 0) return 0;
    const all = padded(keys);
    return (await run(form, all.length, all)).affectedRows;
  }
  return {
    name,
    limits: {
      keys: new StoredKeys(keyBytes),
      statementBytes: Math.min(262_144, packetBytes / 4),
      sharedBytes: MAX_PARAMETER_BYTES,
      most: { create: swaps, swap: swaps, remove: 1 },
      sameLife: true,
    },

    async read(keys) {
      const all = padded(keys.map(bytesOf));
      if (all.length === 1) {
        const { rows } = await run("read", 1, all);
        return [rows[0]?.[0] ?? undefined];
      }
      const { rows } = await run("reads", all.length, all);
      const values = new Map(rows.map(([key, value]) => [`${key}`, value]));
      return keys.map((key) => values.get(key) ?? undefined);
    },

    async write(kind, operations) {
      const smallest = operations.reduce((a, b) =>
        b.call.bytes < a.call.bytes ? b : a
      );
      // To repeat an operation changes nothing.
      const all = padded(operations, smallest);
      const { length } = all;
      const keys = all.map(({ key }) => bytesOf(key));
      const values = all.map(({ call }) => partsOf(call.value));
      const parts = values[0]!.length;
      const { call, expected } = all[0]!;
      const rows = () =>
        all.flatMap(({ call, fullKey }, i): Parameter[] => [
          ...[keys[i]!, ...values[i]!],
          ...[fullKey === null ? null : bytesOf(fullKey), ...lifeOf(call)],
        ]);
      const tag = nextTag();
      switch (kind) {
        case "set":
          await run("set", length, rows(), parts);
          return [];
        case "delete":
          await run("delete", length, keys);
          return [];
        case "create": {
          const answer = await run(
            "create",
            length,
            [...rows(), tag, tag],
            parts,
          );
          const isThere = bitsOf(answer, tag);
          return operations.map((_, i) => !isThere(i));
        }
        case "remove": {
          const parameters = [...keys, comparand(expected!)];
          const form = isLarge(expected!) ? "removeLarge" : "remove";
          return [(await run(form, 1, parameters)).affectedRows > 0];
        }
        case "swap": {
          const form = isLarge(expected!) ? "swapLarge" : "swap";
          const life = lifeOf(call);
          const nth = length === 1 ? [] : keys;
          const expectations = all.map(({ expected }) => comparand(expected!));
          const parameters = [
            ...[tag, tag, ...nth, ...life, ...life, ...nth],
            ...[...values.flat(), ...life, ...keys, ...nth, ...expectations],
          ];
          const answer = await run(form, length, parameters, parts);
          const isMade = bitsOf(answer, tag);
          const outcomes = operations.map((_, i) => isMade(i));
          const made = outcomes.filter(Boolean).length;
          if (made !== answer.affectedRows) throw new UnexpectedAnswer();
          return outcomes;
        }
      }
    },

    rejection({ call, key, fullKey, expected }) {
      const size = call.value?.length ?? 0;
      const others = OVERHEAD_BYTES + size / 1_024 + 4 * utf8Length(key) +
        utf8Length(fullKey ?? "") + (expected ? comparand(expected).length : 0);
      if (size + others <= packetBytes) return undefined;
      const most = Math.max(0, Math.floor(packetBytes - others));
      return new RangeError(
        `value must take at most ${most} bytes, because max_allowed_packet ` +
          `of the server is ${packetBytes}: received ${size}`,
      );
    },

    async page({ range, reverse, keysOnly, limit: wanted }) {
      const bounds = boundsOf(range);
      // Few different statements; what is larger than its share comes alone.
      const limit = Math.min(2 ** Math.ceil(Math.log2(wanted)), MAX_ROWS);
      const maxBytes = keysOnly ? 0 : Math.floor(PAGE_BYTES / limit);
      const { rows } = await query(
        pageStatement(table, bounds, reverse, maxBytes, limit),
        bounds.map(([, value]) => bytesOf(value)),
      );
      return {
        rows: rows.map((row) => {
          if (row.length !== 5 || row[0] === null) throw new UnexpectedAnswer();
          const [key, , fullKey, expires, left] = row.map(textOf);
          return [key!, row[1]!, fullKey!, expires!, left!];
        }),
        isLast: rows.length < limit,
      };
    },

    async sweep(limit, from = 0) {
      const size = 2 ** Math.floor(Math.log2(limit));
      const { rows } = await run("due", size, [from]);
      const [others, expired] = ["0", "1"].map((isExpired) =>
        rows.filter((row) => textOf(row[2]!) === isExpired)
          .map(([key]) => key!)
      );
      const deleted = await runOnRows("sweep", expired!);
      await runOnRows("postpone", others!);
      const last = rows.at(-1)?.[1];
      return {
        deleted,
        isFull: rows.length === size,
        last: last ? Number(last) : undefined,
      };
    },
  };
}

let tags = Math.floor(Math.random() * TAGS);

/** A number that no statement had lately, and never 0. */
function nextTag(): number {
  tags = tags % (TAGS - 1) + 1;
  return tags * TAG_UNIT;
}

/** The bits that the statement with a tag has set. */
function bitsOf({ insertId }: Answer, tag: number): (bit: number) => boolean {
  const isOurs = insertId >= tag && insertId < tag + TAG_UNIT;
  const bits = isOurs ? insertId - tag : 0;
  return (bit) => Math.floor(bits / 2 ** bit) % 2 === 1;
}

/** The life as parameters: the given expiry and the TTL. */
function lifeOf({ expires, ttl }: KvCall<Buffer>): Parameter[] {
  return expires === undefined ? [null, ttl ?? null] : [expires, null];
}

function bytesOf(text: string): Buffer {
  return Buffer.from(text);
}

function textOf(column: Column): string | null {
  return column === null ? null : column.toString();
}

/** As many items as a power of two: one of them is repeated. */
function padded<Item>(items: readonly Item[], repeated = items[0]!): Item[] {
  const length = 2 ** Math.ceil(Math.log2(items.length));
  return [...items, ...Array<Item>(length - items.length).fill(repeated)];
}

/** A value in as many parts as a power of two, each small enough. */
function partsOf(value: Buffer | undefined): Buffer[] {
  if (value === undefined || !isLarge(value)) return value ? [value] : [];
  const length = 2 ** Math.ceil(Math.log2(value.length / MAX_PARAMETER_BYTES));
  const size = Math.ceil(value.length / length);
  return Array.from(
    { length },
    (_, i) => value.subarray(i * size, (i + 1) * size),
  );
}

function isLarge({ length }: Buffer): boolean {
  return length > MAX_PARAMETER_BYTES;
}

/** What a swap compares with: of a large value, a digest. */
function comparand(expected: Buffer): Buffer {
  if (!isLarge(expected)) return expected;
  return bytesOf(createHash!("sha256").update(expected).digest("hex"));
}
