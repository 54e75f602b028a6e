/**
 * The slot of a name in a Redis Cluster.
 *
 * @module
 */

/** How many slots a Cluster has. */
export const SLOTS = 16_384;

/** CRC16 (XMODEM) of each byte. */
const TABLE = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit++) {
    crc = crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1;
  }
  return crc & 0xffff;
});

/**
 * The slot of a name.
 *
 * @param name A name in Redis.
 * @returns Its slot, which its hash tag alone decides if it has one.
 */
export function slotOf(name: string): number {
  const open = name.indexOf("{");
  const close = open < 0 ? -1 : name.indexOf("}", open + 1);
  const tag = close > open + 1 ? name.slice(open + 1, close) : name;
  let crc = 0;
  for (let i = 0; i < tag.length; i++) {
    const unit = tag.charCodeAt(i);
    if (unit > 0x7f) return slotOfBytes(encoder.encode(tag));
    crc = (crc << 8 & 0xffff) ^ TABLE[crc >> 8 ^ unit]!;
  }
  return crc % SLOTS;
}

function slotOfBytes(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) {
    crc = (crc << 8 & 0xffff) ^ TABLE[crc >> 8 ^ byte]!;
  }
  return crc % SLOTS;
}

const encoder = new TextEncoder();
