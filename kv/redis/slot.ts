/**
 * Which slot of a Redis Cluster a key belongs to.
 *
 * @module
 */

/** The number of slots. */
export const SLOTS = 16_384;

const encoder = new TextEncoder();

/** CRC-16/XMODEM of each byte. */
const table = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit++) {
    crc = crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1;
  }
  return crc;
});

/**
 * The slot of a key, by its hash tag if it has one.
 *
 * @param name The whole key, with every prefix.
 */
export function keySlot(name: string): number {
  const open = name.indexOf("{");
  const close = open < 0 ? -1 : name.indexOf("}", open + 1);
  const hashed = close > open + 1 ? name.slice(open + 1, close) : name;
  let crc = 0;
  for (let i = 0; i < hashed.length; i++) {
    const unit = hashed.charCodeAt(i);
    if (unit > 0x7f) return crcOf(encoder.encode(hashed)) % SLOTS;
    crc = (crc << 8 & 0xffff) ^ table[crc >> 8 ^ unit]!;
  }
  return crc % SLOTS;
}

function crcOf(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) {
    crc = (crc << 8 & 0xffff) ^ table[crc >> 8 ^ byte]!;
  }
  return crc;
}
