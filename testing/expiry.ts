// Short TTLs, and what cases do until they end.
import type { ConformanceContext } from "./case.ts";

/** The milliseconds of a TTL that ends during a case. */
export const short = 60;

/** The milliseconds of a TTL that does not. */
export const long = 60_000;

/**
 * Writes entries with the short TTL and checks that they are there. A check
 * that ends too late, because the machine was busy, proves nothing either way;
 * nor does one of half the TTL, as a store that asks a server how long an entry
 * has left may count that from when it asked.
 */
export async function whileAlive(
  { exact }: ConformanceContext,
  write: () => Promise<unknown>,
  check: () => Promise<void>,
): Promise<void> {
  const start = Date.now();
  await write();
  try {
    await check();
  } catch (error) {
    if (exact || Date.now() - start < short / 2) throw error;
  }
}

/**
 * Lets the short TTL pass, and checks one millisecond before its end if the time
 * is under control.
 */
export async function passToExpiry(
  { exact, pass }: ConformanceContext,
  checkBefore: () => Promise<void>,
): Promise<void> {
  if (!exact) return await pass(short);
  await pass(short - 1);
  await checkBefore();
  await pass(1);
}
