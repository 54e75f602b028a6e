/**
 * The stored form of values in Deno KV, which `docs/stores/deno.md` describes.
 *
 * @module
 */

import { encodeCbor } from "../core/cbor.ts";
import { copyValue } from "../core/copy.ts";
import { serialize } from "../core/builtin.ts";
import type { DenoKvEntry } from "./client.ts";
import { CANNOT_DECODE, DamagedEntry, UNDECODABLE } from "./errors.ts";
import { isOfStrings, isSameKey, isShortened, storedKey } from "./key.ts";
import { decodeValue } from "../core/value.ts";
import type { KvKey } from "../store.ts";

/** The most bytes that Deno KV takes for a value, serialized by V8. */
export const MAX_VALUE_BYTES = 65_536;

/**
 * The member that marks an envelope. Its value is the version, a bigint: JSON
 * has none, so no JSON value can be taken for an envelope.
 */
const FORMAT = "@org/kv";
const VERSION = 1n;

const encoder = new TextEncoder();

/** The most bytes of an envelope, but for its value and its key. */
const ENVELOPE_BYTES = 192;

/**
 * A value on its way to Deno KV or from it: as it is, or encoded as JSON in
 * UTF-8 or as self-described CBOR.
 *
 * @example Usage
 * ```ts
 * import type { DenoValue } from "@org/kv/deno";
 *
 * const value: DenoValue = { native: { a: 1 }, size: 32, bytes: 16 };
 * ```
 */
export type DenoValue =
  | {
    /** The value. */
    readonly native: unknown;
    /** The most bytes that it takes, if it is to be written. */
    readonly size: number;
    /** About how many bytes it takes, if it is to be written. */
    readonly bytes: number;
    /** Whether a caller has received it: the next one gets a copy. */
    isTaken?: boolean;
  }
  | {
    /** The encoded value. */
    readonly data: Uint8Array;
  };

/** Where the encoding of a large value is. */
export interface Chunks {
  /** What its chunks have in common. */
  readonly id: string;
  /** How many there are. */
  readonly count: number;
  /** How many bytes they hold together. */
  readonly bytes: number;
  /** The SHA-256 of these bytes, in hexadecimal digits. */
  readonly digest: string;
}

/** What an envelope holds in addition to a value. */
export interface Envelope {
  /** When the entry expires, in epoch milliseconds. */
  readonly expires?: number | undefined;
  /** The true key, if the entry is stored under a shortened one. */
  readonly key?: KvKey | undefined;
}

/** What was found under a key. */
export interface Opened extends Envelope {
  /** The value; `undefined` if the entry is missing or expired. */
  readonly stored: DenoValue | Chunks | undefined;
}

/** Encodes a value when the call is made. */
export function encodeDenoValue(value: unknown): DenoValue | undefined {
  const copy = copyValue(value);
  if (copy.value === undefined) return undefined;
  return copy.plain
    ? encodePlain(copy.value)
    : { data: encodeCbor(copy.value) };
}

/*
 * Whether a value fits is up to V8's serialization, which takes one or two
 * bytes for a character and two to nine for a number, according to how strings
 * and arrays came about. The bound reckons with the most; only where it says no,
 * and the value may yet fit, is it worth serializing. What was parsed has the
 * smallest form.
 */
const MOST_TO_LEAST = 5;

function encodePlain(value: unknown): DenoValue {
  const bound = sizeBound(value);
  if (bound <= MAX_VALUE_BYTES) {
    // Most text takes one byte for a character.
    return { native: value, size: bound, bytes: bound >> 1 };
  }
  const json = JSON.stringify(value);
  if (serialize !== undefined && bound <= MOST_TO_LEAST * MAX_VALUE_BYTES) {
    const native: unknown = JSON.parse(json);
    const size = serialize(native).length;
    if (size <= MAX_VALUE_BYTES) return { native, size, bytes: size };
  }
  return { data: encoder.encode(json) };
}

/** Decodes a value. */
export function decodeDenoValue(stored: DenoValue): unknown {
  if (!("native" in stored)) return decodeValue(stored.data);
  if (stored.isTaken) return copyOf(stored.native);
  stored.isTaken = true;
  return stored.native;
}

function copyOf(native: unknown): unknown {
  // A counter is an instance of a class, which a clone is not.
  const { constructor: Type, value } = Object(native) as Counter;
  return /^_?KvU64$/.test(Type?.name)
    ? new Type(value)
    : structuredClone(native);
}

interface Counter {
  readonly constructor: new (value: unknown) => unknown;
  readonly value: unknown;
}

/** About how many bytes a value takes. */
export function denoValueBytes(stored: DenoValue): number {
  return "native" in stored ? stored.bytes : stored.data.length;
}

/**
 * What to write for a value: itself, an envelope, or, if it is too large for
 * one entry, its encoding.
 */
export function seal(
  stored: DenoValue,
  envelope: Envelope,
): { readonly value: unknown; readonly bytes: number } | Uint8Array {
  const { expires, key } = envelope;
  const isNative = "native" in stored;
  if (isNative && expires === undefined && key === undefined) {
    return { value: stored.native, bytes: stored.bytes };
  }
  const overhead = ENVELOPE_BYTES + (key === undefined ? 0 : sizeBound(key));
  if (isNative && stored.size + overhead <= MAX_VALUE_BYTES) {
    return {
      value: makeEnvelope(envelope, { value: stored.native }),
      bytes: stored.bytes + overhead,
    };
  }
  const data = isNative
    ? encoder.encode(JSON.stringify(stored.native))
    : stored.data;
  return data.length + overhead > MAX_VALUE_BYTES ? data : {
    value: makeEnvelope(envelope, { data: bufferOf(data) }),
    bytes: data.length + overhead,
  };
}

/**
 * Bytes as an `ArrayBuffer`. Node serializes a `Uint8Array` within a value in a
 * form that Deno cannot read.
 */
function bufferOf(data: Uint8Array): ArrayBuffer {
  const { buffer, byteLength } = data;
  return buffer.byteLength === byteLength
    ? buffer as ArrayBuffer
    : data.slice().buffer as ArrayBuffer;
}

/** A value that was read, not one to be written. */
export function asFound(native: unknown): DenoValue {
  return { native, size: 0, bytes: 0, isTaken: false };
}

/** What to write for a value that is in chunks. */
export function sealChunks(chunks: Chunks, envelope: Envelope): unknown {
  return makeEnvelope(envelope, { chunks });
}

function makeEnvelope(
  { expires, key }: Envelope,
  content: Record<string, unknown>,
): unknown {
  return {
    [FORMAT]: VERSION,
    ...content,
    ...(expires === undefined ? {} : { expires }),
    ...(key === undefined ? {} : { key }),
  };
}

function isEnvelope(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null &&
    Object.hasOwn(value, FORMAT) &&
    typeof (value as Record<string, unknown>)[FORMAT] === "bigint";
}

/**
 * Takes the value of an entry out of its envelope, if it has one.
 *
 * @param entry The entry.
 * @param now A time before the entry was read. At a later time the entry may have
 * been overwritten already: then there was never no entry.
 * @param trueKey The true key, if it is known.
 * @returns The value, if there is one.
 * @throws {DamagedEntry} If the envelope is not one that this module writes.
 */
export function open(
  entry: DenoKvEntry,
  now: number,
  trueKey?: KvKey,
): Opened {
  const { value, versionstamp } = entry;
  const stored = entry.key as KvKey;
  if (versionstamp === null || value === undefined) {
    return { stored: undefined };
  }
  if (value === UNDECODABLE) throw new DamagedEntry(CANNOT_DECODE);
  if (!isEnvelope(value)) {
    // Whatever is stored under a shortened key has an envelope with the true one.
    return { stored: isShortened(stored) ? undefined : asFound(value) };
  }
  if (value[FORMAT] !== VERSION) {
    throw new DamagedEntry("its stored form has an unknown version");
  }
  const expires = expiryOf(own(value, "expires"));
  const content = contentOf(value);
  const key = keyOf(own(value, "key"), stored, trueKey);
  return {
    stored: expires === undefined || expires > now ? content : undefined,
    expires,
    key,
  };
}

/** A member, unless `Object.prototype` has it. */
function own(envelope: Record<string, unknown>, name: string): unknown {
  return Object.hasOwn(envelope, name) ? envelope[name] : undefined;
}

function expiryOf(expires: unknown): number | undefined {
  if (expires === undefined || Number.isFinite(expires)) {
    return expires as number | undefined;
  }
  throw new DamagedEntry("its expiry is not a finite number");
}

function contentOf(envelope: Record<string, unknown>): DenoValue | Chunks {
  const value = own(envelope, "value");
  const data = own(envelope, "data");
  const chunks = own(envelope, "chunks");
  const count = Number(value !== undefined) + Number(data !== undefined) +
    Number(chunks !== undefined);
  if (count !== 1) {
    throw new DamagedEntry(`its stored form has ${count} values`);
  }
  if (value !== undefined) return asFound(value);
  if (isOf("ArrayBuffer", data)) return { data: new Uint8Array(data) };
  if (areChunks(chunks)) return chunks;
  throw new DamagedEntry("its stored form has a value of a wrong shape");
}

function areChunks(value: unknown): value is Chunks {
  if (typeof value !== "object" || value === null) return false;
  const { id, count, bytes, digest } = value as Partial<Chunks>;
  return typeof id === "string" && ID.test(id) &&
    isPositive(count) && isPositive(bytes) &&
    typeof digest === "string" && DIGEST.test(digest);
}

/** What the identifiers of chunks look like. */
const ID = /^[-\w]{1,64}$/;
const DIGEST = /^[\da-f]{64}$/;

interface Buffers {
  ArrayBuffer: ArrayBuffer;
  Uint8Array: Uint8Array;
}

/** Whether a value is of a class, that of another realm included. */
export function isOf<Name extends keyof Buffers>(
  name: Name,
  value: unknown,
): value is Buffers[Name] {
  return Object.prototype.toString.call(value) === `[object ${name}]`;
}

function isPositive(value: unknown): value is number {
  return Number.isSafeInteger(value) && value as number > 0;
}

/** The true key in an envelope, checked against the key that it is stored under. */
function keyOf(
  key: unknown,
  stored: KvKey,
  trueKey: KvKey | undefined,
): KvKey | undefined {
  const shortened = isShortened(stored);
  if (key === undefined && !shortened) return undefined;
  const isRight = shortened && Array.isArray(key) && key.length > 0 &&
    isOfStrings(key) &&
    (trueKey === undefined
      ? isSameKey(storedKey(key), stored)
      : isSameKey(key, trueKey));
  if (!isRight) throw new DamagedEntry("its stored form has another key");
  return key;
}

/** Whether what was found is not the value, but where it is. */
export function isChunks(stored: Opened["stored"]): stored is Chunks {
  return stored !== undefined && "id" in stored;
}

/** The chunks that hold a value, expired or not. */
export function chunksOf(value: unknown): Chunks | undefined {
  return isEnvelope(value) && value[FORMAT] === VERSION &&
      areChunks(value.chunks)
    ? value.chunks
    : undefined;
}

/** Whether a value is, or might be in a later version, in the chunks of an id. */
export function refersTo(value: unknown, id: string): boolean {
  return value === UNDECODABLE || isEnvelope(value) &&
      (value.chunks as { id?: unknown } | null | undefined)?.id === id;
}

/** At least as many bytes as V8 takes for a plain value, at most five times. */
function sizeBound(value: unknown): number {
  return 2 + sizeBoundAt(value);
}

function sizeBoundAt(value: unknown): number {
  if (typeof value === "string") return 2 * value.length + 7;
  if (typeof value === "number") return 9;
  if (typeof value !== "object" || value === null) return 1;
  if (Array.isArray(value)) {
    return value.reduce((bytes, item) => bytes + sizeBoundAt(item), 17);
  }
  let bytes = 7;
  for (const name in value) {
    // `Object.prototype` may have enumerable members.
    if (!Object.hasOwn(value, name)) continue;
    bytes += 2 * name.length + 7 +
      sizeBoundAt((value as Record<string, unknown>)[name]);
  }
  return bytes;
}
