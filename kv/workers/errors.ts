/**
 * What Workers KV says when it does not do what it was asked, and when to ask
 * again.
 *
 * @module
 */

/** How long to wait before each further attempt, in milliseconds. */
const PAUSES = [1_000, 1_500, 2_250, 3_375];

/**
 * Tries again what failed only for now: one write a second and key is what the
 * platform allows.
 *
 * @param attempt What to try.
 * @param onUnknown Told of each attempt that may have been carried out although
 * it failed.
 */
export async function tryPatiently<T>(
  attempt: () => Promise<T>,
  onUnknown?: () => void,
): Promise<T> {
  for (let i = 0;; i++) {
    try {
      return await attempt();
    } catch (error) {
      const status = statusOf(error);
      const isRefused = (status >= 400 && status < 500) || isNotSent(error);
      if (!isRefused) onUnknown?.();
      const isFinal = isRefused && status !== 429;
      if (isFinal || i === PAUSES.length) throw error;
      await sleep(PAUSES[i]! * (1 + Math.random() / 4));
    }
  }
}

/** Whether values that were asked for together are too large for that. */
export function isTooLarge(error: unknown): boolean {
  return statusOf(error) === 413;
}

/** The 429 of `KV PUT failed: 429 Too Many Requests`; `NaN` if there is none. */
function statusOf(error: unknown): number {
  return Number(/ failed: (\d{3})\b/.exec(messageOf(error))?.[1]);
}

/** Whether the runtime refused to send it. */
function isNotSent(error: unknown): boolean {
  return error instanceof TypeError ||
    /^Too many (subrequests|API requests)/.test(messageOf(error));
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
