/**
 * The calls of a batch, sorted into what statements do.
 *
 * @module
 */

import type { KvCall } from "../core/call.ts";
import { compareStrings, encodeKey } from "../core/key.ts";
import { KeyLimit } from "../core/long_key.ts";
import type { KvKey } from "../store.ts";

/** What a statement that writes does. */
export type WriteKind = "set" | "delete" | "create" | "swap" | "remove";

/** What a statement does. */
export type Kind = "read" | WriteKind;

/** A call as the statements see it. */
export interface Operation<Stored> {
  readonly call: KvCall<Stored>;
  /** The stored key. */
  readonly key: string;
  /** The true key, if the stored one is a shortened one. */
  readonly fullKey: string | null;
  /** What a swap compares with. */
  readonly expected: Stored | undefined;
}

/** What limits the statements on a table. */
export interface Limits {
  /** The limit of stored keys. */
  readonly keys: StoredKeys;
  /** About how many bytes a statement carries; a single value may be larger. */
  readonly statementBytes: number;
  /** The most bytes of an operation that shares its statement. */
  readonly sharedBytes?: number;
  /** How many operations of a kind share a statement at most. */
  readonly most?: Partial<Readonly<Record<Kind, number>>>;
  /** Whether all swaps of a statement have the same TTL or expiry. */
  readonly sameLife?: boolean;
}

/** The keys under which entries are stored. */
export class StoredKeys {
  readonly limit: KeyLimit;
  readonly #bytes: number;

  /** @param bytes The most bytes of a stored key. */
  constructor(bytes: number) {
    this.#bytes = bytes;
    this.limit = new KeyLimit(bytes);
  }

  /** The encoded key under which a key with an encoded form is stored. */
  of(key: KvKey, id: string): string {
    // Nearly all keys fit without counting: a unit takes three bytes at most.
    if (id.length * 3 < this.#bytes && !id.includes(KeyLimit.digests.first)) {
      return id;
    }
    const stored = this.limit.stored(key);
    return stored === key ? id : encodeKey(stored);
  }
}

/** What a call does. */
export function kindOf(call: KvCall<unknown>): Kind {
  if (call.kind === "get") return "read";
  if (call.kind !== "cas") return call.kind;
  if (call.expected === undefined) {
    return call.value === undefined ? "read" : "create";
  }
  return call.value === undefined ? "remove" : "swap";
}

/** A call with its stored key. */
export function operationOf<Stored>(
  call: KvCall<Stored>,
  keys: StoredKeys,
): Operation<Stored> {
  const { id, expected } = call;
  const key = keys.of(call.key, id);
  return { call, key, fullKey: key === id ? null : id, expected };
}

/** The statements that a batch needs: what each does, and for which calls. */
export function statementsOf<Stored>(
  calls: readonly KvCall<Stored>[],
  limits: Limits,
): [kind: Kind, operations: Operation<Stored>[]][] {
  const groups = new Map<string, [Kind, Operation<Stored>[]]>();
  for (const call of calls) {
    const kind = kindOf(call);
    const life = limits.sameLife && kind === "swap"
      ? call.expires ?? `TTL ${call.ttl}`
      : "";
    const name = `${kind} ${life}`;
    const group = groups.get(name);
    const operation = operationOf(call, limits.keys);
    if (group === undefined) groups.set(name, [kind, [operation]]);
    else group[1].push(operation);
  }
  const statements: [Kind, Operation<Stored>[]][] = [];
  for (const [kind, operations] of groups.values()) {
    // Rows are locked in this order.
    if (kind !== "read") {
      operations.sort((a, b) => compareStrings(a.key, b.key));
    }
    for (const part of partsOf(operations, limits.most?.[kind], limits)) {
      statements.push([kind, part]);
    }
  }
  return statements;
}

function* partsOf<Stored>(
  operations: Operation<Stored>[],
  most = Infinity,
  { statementBytes, sharedBytes = Infinity }: Limits,
): Generator<Operation<Stored>[]> {
  let first = 0;
  let bytes = 0;
  for (let i = 0; i < operations.length; i++) {
    const size = operations[i]!.call.bytes;
    const comesAlone = size > sharedBytes;
    bytes += size;
    if (
      i > first && (bytes > statementBytes || i - first === most || comesAlone)
    ) {
      yield operations.slice(first, i);
      first = i;
      bytes = size;
    }
    if (comesAlone) bytes = Infinity;
  }
  yield first === 0 ? operations : operations.slice(first);
}
