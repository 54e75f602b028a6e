/**
 * The calls of a batch, sorted into what the statements of PostgreSQL do.
 *
 * @module
 */

import type { KvCall } from "../core/call.ts";
import { compareStrings, encodeKey } from "../core/key.ts";
import { KeyLimit } from "../core/long_key.ts";
import type { KvKey } from "../store.ts";
import type { Text } from "./query.ts";

/** What a statement does. */
export type Kind = "read" | "set" | "delete" | "create" | "swap" | "remove";

/** A call as the statements see it. */
export interface Operation {
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

/** What a call does. */
export function kindOf(call: KvCall<string>): Kind {
  if (call.kind === "get") return "read";
  if (call.kind !== "cas") return call.kind;
  if (call.expected === undefined) {
    return call.value === undefined ? "read" : "create";
  }
  return call.value === undefined ? "remove" : "swap";
}

/** The encoded key under which a key with an encoded form is stored. */
export function storedKeyOf(key: KvKey, id: string): string {
  // Nearly all keys fit without counting: a unit takes three bytes at most.
  if (
    id.length * 3 < MAX_STORED_KEY_BYTES && !id.includes(KeyLimit.digests.first)
  ) {
    return id;
  }
  const stored = KEY_LIMIT.stored(key);
  return stored === key ? id : encodeKey(stored);
}

/** A call with its stored key. */
export function operationOf(call: KvCall<string>): Operation {
  const { id, expected } = call;
  const key = storedKeyOf(call.key, id);
  return { call, key, fullKey: key === id ? null : id, expected };
}

/** The statements that a batch needs: what each does, and for which calls. */
export function statementsOf(
  calls: readonly KvCall<string>[],
): [kind: Kind, operations: Operation[]][] {
  const groups = new Map<Kind, Operation[]>();
  for (const call of calls) {
    const kind = kindOf(call);
    const group = groups.get(kind);
    if (group === undefined) groups.set(kind, [operationOf(call)]);
    else group.push(operationOf(call));
  }
  const statements: [Kind, Operation[]][] = [];
  for (const [kind, operations] of groups) {
    // Rows are locked in this order.
    if (kind !== "read") {
      operations.sort((a, b) => compareStrings(a.key, b.key));
    }
    let first = 0;
    let bytes = 0;
    for (let i = 0; i < operations.length; i++) {
      const size = operations[i]!.call.bytes;
      bytes += size;
      if (bytes > MAX_STATEMENT_BYTES && i > first) {
        statements.push([kind, operations.slice(first, i)]);
        first = i;
        bytes = size;
      }
    }
    statements.push([kind, first === 0 ? operations : operations.slice(first)]);
  }
  return statements;
}

const key = (operation: Operation): Text => operation.key;
const fullKey = (operation: Operation): Text => operation.fullKey;
const expected = (operation: Operation): Text => operation.expected!;
const value = ({ call }: Operation): Text => call.value!;
/** The TTL, which is positive, or an expiry as a negative number. */
const ttl = ({ call: { ttl, expires } }: Operation): Text =>
  expires !== undefined ? `${-expires}` : ttl === undefined ? null : `${ttl}`;

const PARAMETERS: Readonly<
  Record<Kind, readonly ((operation: Operation) => Text)[]>
> = {
  read: [key],
  set: [key, value, fullKey, ttl],
  delete: [key],
  create: [key, value, fullKey, ttl],
  swap: [key, expected, value, ttl],
  remove: [key, expected],
};

/** The parameters of a statement: those of one call, or of all, joined. */
export function parametersOf(
  kind: Kind,
  operations: readonly Operation[],
): Text[] {
  const [operation] = operations;
  return operations.length === 1
    ? PARAMETERS[kind].map((parameter) => parameter(operation!))
    : PARAMETERS[kind].map((parameter) => joined(operations.map(parameter)));
}

/** Where all are NULL, no text does as well: what is missing is NULL. */
function joined(parameters: readonly Text[]): string {
  return parameters.every((parameter) => parameter === null)
    ? ""
    : parameters.join("\n");
}
