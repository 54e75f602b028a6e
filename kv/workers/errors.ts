/**
 * The errors of Workers KV, and which operations to attempt again.
 *
 * @module
 */

import { retry } from "../core/retry.ts";

/**
 * Attempts again what failed only for now: the platform takes one write a second
 * and key.
 *
 * @param attempt Makes an attempt.
 * @param onUnknown Is called for every failed attempt that may have been applied.
 */
export function retryKv<T>(
  attempt: () => Promise<T>,
  onUnknown?: () => void,
): Promise<T> {
  return retry(attempt, {
    maxAttempts: 5,
    firstPause: 2_000,
    maxPause: 4_000,
    isTransient(error) {
      const status = statusOf(error);
      const isRejected = (status >= 400 && status < 500) || isNotSent(error);
      if (!isRejected) onUnknown?.();
      return !isRejected || status === 429;
    },
  });
}

/** Whether values are too large to be read together. */
export function isTooLarge(error: unknown): boolean {
  return statusOf(error) === 413;
}

/** The 429 of `KV PUT failed: 429 Too Many Requests`; `NaN` without such a number. */
function statusOf(error: unknown): number {
  return Number(/ failed: (\d{3})\b/.exec(messageOf(error))?.[1]);
}

/** Whether the runtime rejected the operation before it was sent. */
function isNotSent(error: unknown): boolean {
  return error instanceof TypeError ||
    /^Too many (subrequests|API requests)/.test(messageOf(error));
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
