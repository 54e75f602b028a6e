/**
 * The calls of a batch, sorted into what the statements of MySQL do.
 *
 * @module
 */

import { Buffer, createHash } from "../core/builtin.ts";
import type { KvCall } from "../core/call.ts";
import { compareStrings, encodeKey } from "../core/key.ts";
import { KeyLimit } from "../core/long_key.ts";
import type { KvKey } from "../store.ts";
import type { Parameter } from "./client.ts";

/** What a statement does. */
export type Kind = "read" | "set" | "delete" | "create" | "swap" | "remove";

/** A call as the statements see it. */
export interface Operation {
  readonly call: KvCall<Buffer>;
  /** The stored key, as text and as bytes. */
  readonly id: string;
  readonly key: Buffer;
  /** The true key, if the stored one is a shortened one. */
  readonly fullKey: Buffer | null;
  /** What a swap compares with. */
  readonly expected: Buffer | undefined;
}

/** What limits the statements on a table. */
export interface Limits {
  /** The most bytes of a stored key. */
  readonly keyBytes: number;
  /** The most bytes of a statement with its parameters. */
  readonly packetBytes: number;
  /** The most swaps or creations in a statement. */
  readonly swaps: number;
}

/** The most bits that a statement can set. */
export const MAX_SWAPS = 32;

/** About how many bytes a statement carries; a single value may be larger. */
const MAX_STATEMENT_BYTES = 262_144;

/** What a statement takes besides its parameters, generously. */
const OVERHEAD_BYTES = 2_048;

/** mysql2 3.24 fails at parameters from 65,535 bytes up to 16 MiB. */
const MAX_PARAMETER_BYTES = 65_534;

/** What a call does. */
export function kindOf(call: KvCall<Buffer>): Kind {
  if (call.kind === "get") return "read";
  if (call.kind !== "cas") return call.kind;
  if (call.expected === undefined) {
    return call.value === undefined ? "read" : "create";
  }
  return call.value === undefined ? "remove" : "swap";
}

/** The encoded key under which a key with an encoded form is stored. */
export function storedKeyOf(key: KvKey, id: string, keyBytes: number): string {
  // Nearly all keys fit without counting: a unit takes three bytes at most.
  if (id.length * 3 < keyBytes && !id.includes(KeyLimit.digests.first)) {
    return id;
  }
  const stored = keyLimit(keyBytes).stored(key);
  return stored === key ? id : encodeKey(stored);
}

/** The limit of keys of a table. */
export function keyLimit(keyBytes: number): KeyLimit {
  return new KeyLimit(keyBytes);
}

/** A call with its stored key. */
export function operationOf(
  call: KvCall<Buffer>,
  { keyBytes }: Limits,
): Operation {
  const id = storedKeyOf(call.key, call.id, keyBytes);
  const fullKey = id === call.id ? null : Buffer.from(call.id);
  const { expected } = call;
  return { call, id, key: Buffer.from(id), fullKey, expected };
}

/** The statements that a batch needs: what each does, and for which calls. */
export function statementsOf(
  calls: readonly KvCall<Buffer>[],
  limits: Limits,
): [kind: Kind, operations: Operation[]][] {
  const groups = new Map<string, Operation[]>();
  for (const call of calls) {
    const kind = kindOf(call);
    // All swaps of a statement have the same life.
    const name = kind === "swap" ? `${kind} ${lifeOf(call)}` : kind;
    const group = groups.get(name);
    const operation = operationOf(call, limits);
    if (group === undefined) groups.set(name, [operation]);
    else group.push(operation);
  }
  return [...groups.values()].flatMap((operations) => {
    const kind = kindOf(operations[0]!.call);
    // Rows are locked in this order.
    if (kind !== "read") {
      operations.sort((a, b) => compareStrings(a.id, b.id));
    }
    return split(operations, maxLength(kind, limits), limits).map(
      (part): [Kind, Operation[]] => [kind, part],
    );
  });
}

function maxLength(kind: Kind, { swaps }: Limits): number {
  if (kind === "remove") return 1;
  return kind === "create" || kind === "swap" ? swaps : Infinity;
}

function split(
  operations: readonly Operation[],
  maxLength: number,
  { packetBytes }: Limits,
): Operation[][] {
  const maxBytes = Math.min(MAX_STATEMENT_BYTES, packetBytes / 4);
  const parts: Operation[][] = [];
  let part: Operation[] = [];
  let bytes = 0;
  for (const operation of operations) {
    const size = operation.call.bytes;
    bytes += size;
    if (
      part.length > 0 && (bytes > maxBytes || part.length === maxLength ||
        size > MAX_PARAMETER_BYTES)
    ) {
      parts.push(part);
      part = [];
      bytes = size;
    }
    part.push(operation);
    // What does not fit into one parameter travels alone.
    if (size > MAX_PARAMETER_BYTES) bytes = Infinity;
  }
  parts.push(part);
  return parts;
}

/**
 * The operations of a statement: as many as a power of two. The smallest is
 * repeated, which changes nothing.
 */
export function padded(operations: readonly Operation[]): Operation[] {
  const length = 2 ** Math.ceil(Math.log2(operations.length));
  if (length === operations.length) return operations.slice();
  const smallest = operations.reduce((a, b) =>
    b.call.bytes < a.call.bytes ? b : a
  );
  return [
    ...operations,
    ...Array(length - operations.length).fill(smallest),
  ];
}

/** Whether a digest of what a swap expects is compared. */
export function isDigest({ expected }: Operation): boolean {
  return expected !== undefined && expected.length > MAX_PARAMETER_BYTES;
}

/** What a swap compares with, or a digest of it. */
export function comparand(operation: Operation): Buffer {
  const { expected } = operation;
  if (!isDigest(operation)) return expected!;
  const digest = createHash!("sha256").update(expected!).digest("hex");
  return Buffer.from(digest);
}

/** A value in as many parts as a power of two, each small enough. */
export function partsOf(value: Buffer): Buffer[] {
  if (value.length <= MAX_PARAMETER_BYTES) return [value];
  const length = 2 ** Math.ceil(Math.log2(value.length / MAX_PARAMETER_BYTES));
  const size = Math.ceil(value.length / length);
  return Array.from(
    { length },
    (_, i) => value.subarray(i * size, (i + 1) * size),
  );
}

/** The life as parameters: the given expiry and the TTL. */
export function lifeOf({ expires, ttl }: KvCall<Buffer>): Parameter[] {
  return expires === undefined ? [null, ttl ?? null] : [expires, null];
}

/** Why a statement with one operation would be too large for the server. */
export function tooLarge(
  operation: Operation,
  { packetBytes }: Limits,
): RangeError | undefined {
  const { call, key, fullKey, expected } = operation;
  const size = call.value?.length ?? 0;
  const others = OVERHEAD_BYTES + size / 1_024 + key.length +
    (fullKey?.length ?? 0) +
    (isDigest(operation) ? 64 : expected?.length ?? 0);
  if (size + others <= packetBytes) return undefined;
  return new RangeError(
    `value must take at most ${
      Math.max(0, Math.floor(packetBytes - others))
    } bytes, ` +
      `because max_allowed_packet of the server is ${packetBytes}: ` +
      `received ${size}`,
  );
}
