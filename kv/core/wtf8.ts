/**
 * WTF-8 (https://simonsapin.github.io/wtf-8/): UTF-8 that can also hold lone
 * surrogates.
 *
 * @module
 */

/** How many pieces of a string are joined at once. */
const PIECES = 1024;

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Encodes any string.
 *
 * @param text The string.
 * @returns Its bytes.
 */
export function encodeWtf8(text: string): Uint8Array {
  const bytes = new Uint8Array(lengthOf(text));
  let end = 0;
  for (let i = 0; i < text.length; i++) {
    const point = text.codePointAt(i)!;
    if (point < 0x80) {
      bytes[end++] = point;
      continue;
    }
    if (point < 0x800) {
      bytes[end++] = 0xc0 | point >> 6;
    } else {
      if (point < 0x10000) {
        bytes[end++] = 0xe0 | point >> 12;
      } else {
        i++;
        bytes[end++] = 0xf0 | point >> 18;
        bytes[end++] = 0x80 | point >> 12 & 0x3f;
      }
      bytes[end++] = 0x80 | point >> 6 & 0x3f;
    }
    bytes[end++] = 0x80 | point & 0x3f;
  }
  return bytes;
}

function lengthOf(text: string): number {
  let length = text.length;
  for (let i = 0; i < text.length; i++) {
    const point = text.codePointAt(i)!;
    if (point > 0xffff) i++;
    // The two units of a surrogate pair become four bytes.
    if (point > 0x7f) length += point > 0x7ff ? 2 : 1;
  }
  return length;
}

/**
 * Decodes what {@linkcode encodeWtf8} encoded.
 *
 * @param bytes The bytes.
 * @returns The string.
 * @throws {TypeError} If the bytes are not WTF-8.
 */
export function decodeWtf8(bytes: Uint8Array): string {
  let text = "";
  let pieces: string[] = [];
  let start = 0;
  for (let i = 0; i < bytes.length; i++) {
    // ED A0 to ED BF starts a surrogate, which UTF-8 cannot have.
    if (bytes[i] !== 0xed || !(bytes[i + 1]! >= 0xa0)) continue;
    const [second, third] = [bytes[i + 1]!, bytes[i + 2]];
    if (second > 0xbf || third === undefined || (third & 0xc0) !== 0x80) {
      throw new TypeError("invalid WTF-8");
    }
    if (start < i) pieces.push(decoder.decode(bytes.subarray(start, i)));
    pieces.push(
      String.fromCharCode(0xd000 | (second & 0x3f) << 6 | third & 0x3f),
    );
    if (pieces.length >= PIECES) {
      text += pieces.join("");
      pieces = [];
    }
    start = i + 3;
    i += 2;
  }
  pieces.push(decoder.decode(bytes.subarray(start)));
  return text + pieces.join("");
}
