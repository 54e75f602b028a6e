/**
 * What built-in type an object is of, in whatever realm it was made: a value
 * from `node:vm`, Jest or jsdom has other constructors than ours.
 *
 * @module
 */

import { typedArrays } from "./typed_arrays.ts";

/** The built-in types whose content can be stored. */
export type Content =
  | "Date"
  | "Map"
  | "Set"
  | "ArrayBuffer"
  | "Number"
  | "String"
  | "Boolean"
  | "BigInt"
  | "TypedArray";

function getterOf(object: object, name: string | symbol) {
  return Object.getOwnPropertyDescriptor(object, name)!.get!;
}

/** Throws unless it is called on an object of the type, of any realm. */
const probes: Readonly<Record<string, (this: never) => unknown>> = {
  Date: Date.prototype.getTime,
  Map: getterOf(Map.prototype, "size"),
  Set: getterOf(Set.prototype, "size"),
  ArrayBuffer: getterOf(ArrayBuffer.prototype, "byteLength"),
  Number: Number.prototype.valueOf,
  String: String.prototype.valueOf,
  Boolean: Boolean.prototype.valueOf,
  BigInt: BigInt.prototype.valueOf,
};

const types: Readonly<Record<string, abstract new () => unknown>> = {
  __proto__: null as never,
  Date,
  Map,
  Set,
  ArrayBuffer,
  Number,
  String,
  Boolean,
  BigInt: BigInt as unknown as abstract new () => unknown,
};

const typeNames = Object.keys(types);

/** Most values are of this realm, and of no subclass. */
const prototypes = new Map(
  typeNames.map((name) => [types[name]!.prototype, name as Content]),
);

const arrayNameOf = getterOf(
  Object.getPrototypeOf(Uint8Array.prototype),
  Symbol.toStringTag,
);

/** The name that an object gives itself, such as "Date". */
export function tagOf(value: object): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}

/**
 * The type of an object whose content can be stored.
 *
 * @param value The object.
 * @returns The type, or `undefined` if it is another object.
 */
export function contentOf(value: object): Content | undefined {
  const known = prototypes.get(Object.getPrototypeOf(value));
  if (known !== undefined && passes(value, known)) return known;
  if (typedArrayOf(value) !== undefined) return "TypedArray";
  const tag = tagOf(value);
  if (tag === "Object") return undefined;
  if (tag in types) return passes(value, tag) ? tag as Content : undefined;
  if (isGlobal(tag)) return undefined;
  // A subclass may give itself another name.
  return typeNames.find((name) => passes(value, name)) as Content | undefined;
}

function passes(value: object, type: string): boolean {
  try {
    probes[type]!.call(value as never);
    return true;
  } catch {
    return false;
  }
}

/** Our own constructor of a typed array of any realm. */
export function typedArrayOf(value: object) {
  const name = arrayNameOf.call(value);
  return name && typedArrays.find((Type) => Type.name === name);
}

/** What has no global constructor. */
const NAMELESS = /^(Async)?Generator$|Iterator/;

/**
 * The name of the built-in type of an object that cannot be stored, because its
 * content is hidden. It may have members, too, but they are not its content.
 *
 * @param value An object for which {@linkcode contentOf} returns `undefined`.
 * @returns The name, or `undefined` if the object is what its members are.
 */
export function hiddenTypeOf(value: object): string | undefined {
  if (isError(value)) return "Error";
  const tag = tagOf(value);
  if (tag !== "Object") {
    return isGlobal(tag) || NAMELESS.test(tag) ? tag : undefined;
  }
  // Such as what only inherits from Date, or a proxy of one.
  return typeNames.find((name) => value instanceof types[name]!);
}

/** Whether a type, such as "Intl.NumberFormat", is known to the runtime. */
function isGlobal(tag: string): boolean {
  return Object.hasOwn(globalThis, tag.split(".")[0]!);
}

function isError(value: object): boolean {
  const { isError } = Error as { isError?: (value: unknown) => boolean };
  return isError?.(value) || value instanceof Error || tagOf(value) === "Error";
}
