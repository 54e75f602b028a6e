/**
 * The calls of a batch, sorted into what the statements of PostgreSQL do.
 *
 * @module
 */

import type { KvCall } from "../call.ts";
import { compareStrings, encodeKey } from "../key.ts";
import { KeyLimit } from "../long_key.ts";

/** What a statement does. */
export type Kind = "read" | "set" | "delete" | "create" | "swap" | "remove";

/** A call as the statements see it. */
export interface Work {
  readonly call: KvCall<string>;
  /** The stored key. */
  readonly key: string;
  /** The true key, if the stored one is a shortened one. */
  readonly fullKey: string | null;
  /** What a swap compares with. */
  readonly expected: string | undefined;
}

const MAX_STORED_KEY_BYTES = 2_600;

/** An index entry of PostgreSQL holds 2,704 bytes, some of them its own. */
export const KEY_LIMIT = new KeyLimit(MAX_STORED_KEY_BYTES);

/** About how many bytes a statement carries; a single value may be larger. */
const MAX_STATEMENT_BYTES = 262_144;

/** What a call needs done. */
export function kindOf(call: KvCall<string>): Kind {
  if (call.kind === "get") return "read";
  if (call.kind !== "cas") return call.kind;
  if (call.expected === undefined) {
    return call.value === undefined ? "read" : "create";
  }
  return call.value === undefined ? "remove" : "swap";
}

/** A call with its stored key. */
export function workOf(call: KvCall<string>): Work {
  const { id, expected } = call;
  // Nearly all keys fit without counting: a unit takes three bytes at most.
  if (
    id.length * 3 < MAX_STORED_KEY_BYTES && !id.includes(KeyLimit.digests.first)
  ) {
    return { call, key: id, fullKey: null, expected };
  }
  const stored = KEY_LIMIT.stored(call.key);
  return stored === call.key
    ? { call, key: id, fullKey: null, expected }
    : { call, key: encodeKey(stored), fullKey: id, expected };
}

/** The kinds of work in a batch, and for each statement what it carries. */
export function* statementsOf(
  calls: readonly KvCall<string>[],
): Generator<[kind: Kind, works: Work[]]> {
  const groups = new Map<Kind, Work[]>();
  for (const call of calls) {
    const kind = kindOf(call);
    const group = groups.get(kind);
    if (group === undefined) groups.set(kind, [workOf(call)]);
    else group.push(workOf(call));
  }
  for (const [kind, works] of groups) {
    // Rows are locked in this order.
    if (kind !== "read") works.sort((a, b) => compareStrings(a.key, b.key));
    let first = 0;
    let bytes = 0;
    for (const [i, { call }] of works.entries()) {
      bytes += call.bytes;
      if (bytes > MAX_STATEMENT_BYTES && i > first) {
        yield [kind, works.slice(first, i)];
        first = i;
        bytes = call.bytes;
      }
    }
    yield [kind, works.slice(first)];
  }
}

/** The parameters of a statement: those of one call, or of all, joined. */
export function parametersOf(
  kind: Kind,
  works: readonly Work[],
): (string | number | null)[] {
  if (works.length === 1) return parametersOfOne(kind, works[0]!);
  const rows = works.map((work) => parametersOfOne(kind, work));
  return rows[0]!.map((_, i) => rows.map((row) => row[i] ?? "").join("\n"));
}

function parametersOfOne(
  kind: Kind,
  { call, key, fullKey, expected }: Work,
): (string | number | null)[] {
  switch (kind) {
    case "read":
    case "delete":
      return [key];
    case "set":
    case "create":
      return [key, call.value!, fullKey, call.ttl ?? null];
    case "swap":
      return [key, expected!, call.value!, call.ttl ?? null];
    case "remove":
      return [key, expected!];
  }
}
