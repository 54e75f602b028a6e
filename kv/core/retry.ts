/**
 * Attempting again what failed only for now.
 *
 * @module
 */

/**
 * When and how often to attempt again.
 *
 * @example Usage
 * ```ts
 * import { retry, type RetryOptions } from "@org/kv/driver";
 * import { assertEquals } from "@std/assert";
 *
 * let attempts = 0;
 * const options: RetryOptions = {
 *   timeout: 1_000,
 *   isTransient: (error) => String(error).includes("busy"),
 * };
 * const result = await retry(() => {
 *   if (++attempts < 3) throw new Error("busy");
 *   return "done";
 * }, options);
 * assertEquals([result, attempts], ["done", 3]);
 * ```
 */
export interface RetryOptions {
  /** Whether another attempt may succeed. */
  readonly isTransient: (error: unknown) => boolean;
  /**
   * For how many milliseconds to go on, from the first failure.
   *
   * @default {Infinity}
   */
  readonly timeout?: number;
  /**
   * The number of attempts, including those before this call.
   *
   * @default {Infinity}
   */
  readonly maxAttempts?: number;
  /**
   * The longest first pause in milliseconds; it doubles with each attempt.
   *
   * @default {1}
   */
  readonly firstPause?: number;
  /**
   * The longest pause in milliseconds.
   *
   * @default {64}
   */
  readonly maxPause?: number;
}

/**
 * Makes an attempt, and further ones while they fail with an error that may pass.
 * Between two attempts is a pause of random length, so that several clients do
 * not collide again.
 *
 * @typeParam T What an attempt returns.
 * @param attempt Makes an attempt.
 * @param options When and how often to attempt again.
 * @returns What the first attempt that succeeds returns.
 * @throws The error of the last attempt.
 *
 * @example Usage
 * ```ts
 * import { retry } from "@org/kv/driver";
 * import { assertRejects } from "@std/assert";
 *
 * await assertRejects(() =>
 *   retry(() => {
 *     throw new Error("disk full");
 *   }, { isTransient: () => false })
 * );
 * ```
 */
export async function retry<T>(
  attempt: () => T | Promise<T>,
  options: RetryOptions,
): Promise<T> {
  const { isTransient, timeout = Infinity, maxAttempts = Infinity } = options;
  const { firstPause = 1, maxPause = 64 } = options;
  let deadline: number | undefined;
  for (let attempts = 1;; attempts++) {
    try {
      return await attempt();
    } catch (error) {
      if (!isTransient(error) || attempts >= maxAttempts) throw error;
      const now = performance.now();
      deadline ??= now + timeout;
      if (now >= deadline) throw error;
      const longest = Math.min(firstPause * 2 ** (attempts - 1), maxPause);
      await pause(Math.min(jitter(longest), deadline - now));
    }
  }
}

/**
 * Waits.
 *
 * @param milliseconds How long.
 */
export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** A random length between half of the longest and the longest. */
function jitter(longest: number): number {
  return longest * (0.5 + Math.random() / 2);
}
