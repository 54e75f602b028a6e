/**
 * The checksum of large values, which finds damage, not forgery.
 *
 * @module
 */

/** The CRC-32 of each byte (IEEE 802.3, as in gzip). */
const TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) {
    crc = crc & 1 ? crc >>> 1 ^ 0xedb88320 : crc >>> 1;
  }
  return crc;
});

/**
 * The CRC-32 of bytes.
 *
 * @param bytes The bytes.
 * @returns An unsigned number of 32 bits.
 */
export function crc32(bytes: Uint8Array): number {
  let crc = -1;
  for (let i = 0; i < bytes.length; i++) {
    crc = crc >>> 8 ^ TABLE[(crc ^ bytes[i]!) & 0xff]!;
  }
  return ~crc >>> 0;
}
