/**
 * The option of the stores that wait for the locks of others.
 *
 * @module
 */

/**
 * Checks how long to wait for locks.
 *
 * @param busyTimeout What the caller gave.
 * @param store The name of the class that is to be made.
 * @throws {TypeError} If it is no number.
 * @throws {RangeError} If it is negative or not finite.
 */
export function checkBusyTimeout(busyTimeout: unknown, store: string): void {
  if (typeof busyTimeout !== "number") {
    throw new TypeError(
      `Cannot make a ${store}: busyTimeout must be a number: ` +
        `received a value of type ${typeof busyTimeout}`,
    );
  }
  if (!(busyTimeout >= 0 && busyTimeout < Infinity)) {
    throw new RangeError(
      `Cannot make a ${store}: busyTimeout must be finite and not negative: ` +
        `received ${busyTimeout}`,
    );
  }
}
