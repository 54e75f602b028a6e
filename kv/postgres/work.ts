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

/** The statements that a batch needs: what each does, and for which calls. */
export function statementsOf(
  calls: readonly KvCall<string>[],
): [kind: Kind, works: Work[]][] {
  const groups = new Map<Kind, Work[]>();
  for (const call of calls) {
    const kind = kindOf(call);
    const group = groups.get(kind);
    if (group === undefined) groups.set(kind, [workOf(call)]);
    else group.push(workOf(call));
  }
  const statements: [Kind, Work[]][] = [];
  for (const [kind, works] of groups) {
    // Rows are locked in this order.
    if (kind !== "read") works.sort((a, b) => compareStrings(a.key, b.key));
    let first = 0;
    let bytes = 0;
    for (let i = 0; i < works.length; i++) {
      const size = works[i]!.call.bytes;
      bytes += size;
      if (bytes > MAX_STATEMENT_BYTES && i > first) {
        statements.push([kind, works.slice(first, i)]);
        first = i;
        bytes = size;
      }
    }
    statements.push([kind, first === 0 ? works : works.slice(first)]);
  }
  return statements;
}

type Parameter = string | number | null;

const key = (work: Work): Parameter => work.key;
const fullKey = (work: Work): Parameter => work.fullKey;
const expected = (work: Work): Parameter => work.expected!;
const value = ({ call }: Work): Parameter => call.value!;
const ttl = ({ call }: Work): Parameter => call.ttl ?? null;

const PARAMETERS: Readonly<
  Record<Kind, readonly ((work: Work) => Parameter)[]>
> = {
  read: [key],
  set: [key, value, fullKey, ttl],
  delete: [key],
  create: [key, value, fullKey, ttl],
  swap: [key, expected, value, ttl],
  remove: [key, expected],
};

/** The parameters of a statement: those of one call, or of all, joined. */
export function parametersOf(kind: Kind, works: readonly Work[]): Parameter[] {
  const [work] = works;
  return works.length === 1
    ? PARAMETERS[kind].map((parameter) => parameter(work!))
    : PARAMETERS[kind].map((parameter) => joined(works.map(parameter)));
}

/** Where all are NULL, no text does as well: what is missing is NULL. */
function joined(parameters: readonly Parameter[]): string {
  return parameters.every((parameter) => parameter === null)
    ? ""
    : parameters.join("\n");
}
