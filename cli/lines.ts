/**
 * JSON lines: an entry a line, with every type of value and its expiry.
 *
 * `{"key":["a"],"value":1}`, with `"expires"` in epoch milliseconds if the entry
 * has a TTL. A value that JSON cannot hold is `"cbor"` in place of `"value"`: the
 * Base64 of self-described CBOR (RFC 8949).
 */

import { decodeValue, encodeValue } from "../kv/core/value.ts";
import { assertKey } from "../kv/core/key.ts";
import type { KvKey, KvStoreListEntry } from "../kv/store.ts";
import { Expected } from "./errors.ts";

/** Formats an entry as a line, without its end. */
export function formatLine({ key, value, expires }: KvStoreListEntry): string {
  const encoded = encodeValue(value)!;
  const content = typeof encoded === "string"
    ? `"value":${encoded}`
    : `"cbor":${JSON.stringify(toBase64(encoded))}`;
  const end = expires === undefined ? "" : `,"expires":${expires}`;
  return `{"key":${JSON.stringify(key)},${content}${end}}`;
}

/** Reads a line. */
export function parseLine(line: string, number: number): KvStoreListEntry {
  let entry: Record<string, unknown> | null;
  try {
    // A file may start with a byte order mark.
    entry = JSON.parse(line.replace(/^\ufeff/, ""));
  } catch {
    throw new Expected(`line ${number} is not JSON`);
  }
  if (typeof entry !== "object" || entry === null) {
    throw new Expected(`line ${number} is not an object`);
  }
  const { key, expires, cbor } = entry;
  try {
    assertKey(key, "import");
    if (
      expires !== undefined &&
      !(typeof expires === "number" && Number.isFinite(expires))
    ) throw new TypeError("expires must be a number");
    const value = typeof cbor === "string"
      ? decodeValue(fromBase64(cbor))
      : entry.value;
    if (value === undefined) throw new TypeError("there is no value");
    return {
      key: key as KvKey,
      value,
      ...expires === undefined ? {} : { expires },
    };
  } catch (error) {
    throw new Expected(`line ${number}: ${(error as Error).message}`);
  }
}

function toBase64(bytes: Uint8Array): string {
  let binary = "";
  for (let i = 0; i < bytes.length; i += 8_192) {
    binary += String.fromCharCode(...bytes.subarray(i, i + 8_192));
  }
  return btoa(binary);
}

function fromBase64(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (unit) => unit.charCodeAt(0));
}
