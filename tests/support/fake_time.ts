// Fake time for tests.
import { type Clock, install } from "@sinonjs/fake-timers";

/**
 * Puts a clock that stands still in place of `Date` and `performance`, until it
 * is disposed of. Timers stay real.
 */
export class FakeTime implements Disposable {
  readonly #clock: Clock;

  constructor(now: string | number = Date.now()) {
    this.#clock = install({
      now: new Date(now),
      toFake: ["Date", "performance"],
    });
  }

  /** Lets time pass. */
  tick(milliseconds: number): void {
    this.#clock.tick(milliseconds);
  }

  [Symbol.dispose](): void {
    this.#clock.uninstall();
  }
}
