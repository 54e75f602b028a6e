/**
 * The typed arrays of the runtime, and their bytes.
 *
 * @module
 */

/** Any typed array. */
export type TypedArray = ArrayBufferView & {
  readonly length: number;
  readonly buffer: ArrayBufferLike;
};

/** The constructor of a typed array. */
export interface TypedArrayConstructor {
  readonly name: string;
  readonly BYTES_PER_ELEMENT: number;
  new (from: ArrayBufferLike | TypedArray): TypedArray;
}

/** The constructors of all typed arrays that the runtime has. */
export const typedArrays: readonly TypedArrayConstructor[] = [
  Uint8Array,
  Uint8ClampedArray,
  Int8Array,
  Uint16Array,
  Int16Array,
  Uint32Array,
  Int32Array,
  Float32Array,
  Float64Array,
  BigUint64Array,
  BigInt64Array,
  ...("Float16Array" in globalThis
    ? [
      (globalThis as unknown as { Float16Array: TypedArrayConstructor })
        .Float16Array,
    ]
    : []),
];

const isLittleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/**
 * The bytes of a typed array in little-endian order, or, given such bytes, in
 * the order of this machine.
 *
 * @param array The typed array.
 * @param Type Its constructor.
 * @returns The bytes; not a copy if this machine is little-endian.
 */
export function littleEndian(
  array: TypedArray,
  Type: TypedArrayConstructor,
): Uint8Array {
  const bytes = bytesOf(array);
  if (isLittleEndian) return bytes;
  const swapped = bytes.slice();
  for (let i = 0; i < swapped.length; i += Type.BYTES_PER_ELEMENT) {
    swapped.subarray(i, i + Type.BYTES_PER_ELEMENT).reverse();
  }
  return swapped;
}

/**
 * The bytes of a buffer or a typed array, not copied.
 *
 * @param data The buffer or the typed array.
 * @returns A view of its bytes.
 */
export function bytesOf(data: ArrayBuffer | TypedArray): Uint8Array {
  return data instanceof ArrayBuffer
    ? new Uint8Array(data)
    : new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
