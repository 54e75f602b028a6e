/**
 * The stored form of values in Deno KV; the documentation of `DenoKvStore`
 * describes it.
 *
 * @module
 */

import { encodeCbor } from "../core/cbor.ts";
import { copyValue } from "../core/copy.ts";
import type { DenoKvEntry } from "./client.ts";
import { DamagedEntry } from "./errors.ts";
import { decodeValue } from "../core/value.ts";

/** The most bytes that Deno KV takes for a value, serialized by V8. */
export const MAX_VALUE_BYTES = 65_536;

/** The member that marks an envelope. */
const FORMAT = "@org/kv";
const VERSION = 1;

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
}

/** What an envelope holds beside a value. */
export interface Envelope {
  /** When the entry expires, in epoch milliseconds. */
  readonly expires?: number | undefined;
  /** The true key, if the entry stands under a shortened one. */
  readonly key?: readonly string[] | undefined;
}

/** What was found under a key. */
export interface Opened extends Envelope {
  /** The value; `undefined` if there is none, or none any more. */
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
  if (stored.isTaken) return structuredClone(stored.native);
  stored.isTaken = true;
  return stored.native;
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
  if (
    isNative && expires === undefined && key === undefined &&
    !isEnvelope(stored.native)
  ) {
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
    value: makeEnvelope(envelope, { data }),
    bytes: data.length + overhead,
  };
}

/** A value that was read, not one to be written. */
export function asFound(native: unknown): DenoValue {
  return { native, size: 0, bytes: 0, isTaken: false };
}

/** What to write for a value that stands in chunks. */
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
    Object.hasOwn(value, FORMAT);
}

/**
 * Takes the value of an entry out of its envelope, if it has one.
 *
 * @throws {DamagedEntry} If the envelope is not one of ours.
 */
export function open({ value, versionstamp }: DenoKvEntry): Opened {
  if (versionstamp === null || value === undefined) {
    return { stored: undefined };
  }
  if (!isEnvelope(value)) return { stored: asFound(value) };
  if (value[FORMAT] !== VERSION) {
    throw new DamagedEntry(
      `unknown version of the stored form: received ${value[FORMAT]}`,
    );
  }
  const { expires, key } = value as Envelope;
  return {
    stored: expires === undefined || expires > Date.now()
      ? contentOf(value)
      : undefined,
    expires,
    key,
  };
}

function contentOf(envelope: Record<string, unknown>): DenoValue | Chunks {
  if (Object.hasOwn(envelope, "value")) {
    return asFound(envelope.value);
  }
  const { data, chunks } = envelope;
  if (data instanceof Uint8Array) return { data };
  if (typeof chunks === "object" && chunks !== null) return chunks as Chunks;
  throw new DamagedEntry("the stored form has no value");
}

/** Whether what was found is not the value, but where it is. */
export function isChunks(stored: Opened["stored"]): stored is Chunks {
  return stored !== undefined && "id" in stored;
}

/** The chunks that a value stands in, expired or not. */
export function chunksOf(value: unknown): Chunks | undefined {
  return isEnvelope(value) && value[FORMAT] === VERSION
    ? value.chunks as Chunks | undefined
    : undefined;
}

const serialize = (globalThis as {
  process?: {
    getBuiltinModule?(
      name: "node:v8",
    ): { serialize(value: unknown): Uint8Array } | undefined;
  };
}).process?.getBuiltinModule?.("node:v8")?.serialize;

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
    bytes += 2 * name.length + 7 +
      sizeBoundAt((value as Record<string, unknown>)[name]);
  }
  return bytes;
}
