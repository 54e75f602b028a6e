/**
 * Checking the options of stores and calls.
 *
 * @module
 */

import type { KvSignal } from "../store.ts";
import { typeName } from "./message.ts";

/**
 * What the value of an option must be.
 *
 * @example Usage
 * ```ts
 * import type { OptionRule } from "@org/kv/driver";
 *
 * const rule: OptionRule = {
 *   type: "number",
 *   must: "be a whole number",
 *   accepts: Number.isInteger,
 * };
 * ```
 */
export interface OptionRule {
  /** Its type; a value of another type is a `TypeError`. */
  readonly type: "boolean" | "function" | "number" | "object" | "string";
  /** What it must be, for the message. */
  readonly must: string;
  /** Whether a value is of the right kind; one that is not is a `TypeError`. */
  readonly is?: (value: unknown) => boolean;
  /** Whether a value of this type is right; one that is not is a `RangeError`. */
  readonly accepts?: (value: unknown) => boolean;
}

/**
 * Checks the options that a caller gave.
 *
 * @param action What cannot be done with wrong options, such as
 * `make a RedisKvStore`.
 * @param options What the caller gave.
 * @param rules What the value of each known option must be.
 * @param hints For options of other libraries, what to use instead.
 * @throws {TypeError} If the options are not an object, an option is unknown, or
 * a value has a wrong type.
 * @throws {RangeError} If a value is out of range.
 *
 * @example Usage
 * ```ts
 * import { checkOptions, type OptionRule } from "@org/kv/driver";
 * import { assertThrows } from "@std/assert";
 *
 * const rules: Record<string, OptionRule> = {
 *   size: { type: "number", must: "be a number" },
 * };
 * checkOptions("make a store", { size: 1 }, rules);
 * assertThrows(
 *   () => checkOptions("make a store", { sise: 1 }, rules),
 *   TypeError,
 *   'Cannot make a store: unknown option "sise": expected size',
 * );
 * ```
 */
export function checkOptions(
  action: string,
  options: unknown,
  rules: Readonly<Record<string, OptionRule>>,
  hints: Readonly<Record<string, string>> = {},
): void {
  if (options === undefined) return;
  if (typeof options !== "object" || options === null) {
    throw new TypeError(
      `Cannot ${action}: options must be an object: ` +
        `received ${typeName(options)}`,
    );
  }
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(rules, name)) {
      const hint = Object.hasOwn(hints, name)
        ? hints[name]
        : `expected ${Object.keys(rules).join(", ") || "none"}`;
      throw new TypeError(
        `Cannot ${action}: unknown option ${JSON.stringify(name)}: ${hint}`,
      );
    }
    if (value === undefined) continue;
    const { type, must, is, accepts } = rules[name]!;
    if (typeof value !== type || value === null || is?.(value) === false) {
      throw new TypeError(
        `Cannot ${action}: ${name} must ${must}: received ${typeName(value)}`,
      );
    }
    if (accepts?.(value) === false) {
      const received = typeof value === "string"
        ? JSON.stringify(value.slice(0, 100))
        : String(value);
      throw new RangeError(
        `Cannot ${action}: ${name} must ${must}: received ${received}`,
      );
    }
  }
}

/** The rule of `busyTimeout`: how long to wait for locks. */
export const BUSY_TIMEOUT: OptionRule = {
  type: "number",
  must: "be a finite number of milliseconds, 0 or more",
  accepts: (value) => (value as number) >= 0 && (value as number) < Infinity,
};

/** The rule of `signal`. A signal may come from another realm. */
export const SIGNAL: OptionRule = {
  type: "object",
  must: "be an AbortSignal",
  is: (value) => {
    const signal = value as Partial<KvSignal>;
    return typeof signal.throwIfAborted === "function" &&
      typeof signal.addEventListener === "function";
  },
};

/** The rule of `timeout`: how long a backend may be silent. */
export const TIMEOUT: OptionRule = {
  type: "number",
  must: "be a number of milliseconds above 0, or Infinity",
  accepts: (value) => (value as number) > 0,
};

/** The rule of `maxPending`: how many calls may wait. */
export const MAX_PENDING: OptionRule = {
  type: "number",
  must: "be a whole number above 0, or Infinity",
  accepts: (value) =>
    value === Infinity ||
    Number.isInteger(value) && (value as number) > 0,
};
