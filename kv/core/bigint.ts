/**
 * Natural numbers as bytes, the highest byte first, in time proportional to
 * their size.
 *
 * @module
 */

/** The code of a hexadecimal digit, by its value. */
const CODES = new TextEncoder().encode("0123456789abcdef");

/** The hexadecimal digits of every byte. */
const PAIRS = Array.from(
  { length: 256 },
  (_, byte) => byte.toString(16).padStart(2, "0"),
);

/** Up to this many bytes, joining strings is faster than decoding bytes. */
const SHORT = 64;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * Encodes a natural number.
 *
 * @param number The number, not negative.
 * @returns Its bytes; one zero byte for zero.
 */
export function encodeNatural(number: bigint): Uint8Array {
  // The conversion is linear, unlike one to a base such as ten.
  const digits = encoder.encode(number.toString(16));
  const bytes = new Uint8Array((digits.length + 1) >> 1);
  let digit = digits.length;
  for (let i = bytes.length - 1; i >= 0; i--) {
    const low = valueOf(digits[--digit]!);
    bytes[i] = low | (digit > 0 ? valueOf(digits[--digit]!) << 4 : 0);
  }
  return bytes;
}

function valueOf(code: number): number {
  return code > 0x60 ? code - 0x57 : code - 0x30;
}

/**
 * Decodes what {@linkcode encodeNatural} encoded.
 *
 * @param bytes The bytes, possibly with leading zeros, possibly none.
 * @returns The number.
 */
export function decodeNatural(bytes: Uint8Array): bigint {
  return BigInt(`0x0${bytes.length > SHORT ? digitsOf(bytes) : join(bytes)}`);
}

function join(bytes: Uint8Array): string {
  let digits = "";
  for (const byte of bytes) digits += PAIRS[byte];
  return digits;
}

function digitsOf(bytes: Uint8Array): string {
  const digits = new Uint8Array(2 * bytes.length);
  for (let i = 0; i < bytes.length; i++) {
    digits[2 * i] = CODES[bytes[i]! >> 4]!;
    digits[2 * i + 1] = CODES[bytes[i]! & 0xf]!;
  }
  return decoder.decode(digits);
}
