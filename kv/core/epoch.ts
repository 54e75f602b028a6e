/**
 * What a listing waits for.
 *
 * @module
 */

/** The calls between two listings. */
export class Epoch {
  #open = 0;
  #isSealed = false;
  readonly #empty = Promise.withResolvers<void>();
  readonly #done: Promise<void>;

  /** @param before The end of the epoch before. */
  constructor(before: Promise<void>) {
    this.#done = before.then(() => this.#empty.promise);
  }

  /** A call was made. */
  enter(): void {
    this.#open++;
  }

  /** A call is settled. */
  leave(): void {
    this.#open--;
    this.#check();
  }

  /**
   * Ends the epoch: no more calls enter.
   *
   * @returns A promise for when all of them, and all before, are settled.
   */
  seal(): Promise<void> {
    this.#isSealed = true;
    this.#check();
    return this.#done;
  }

  #check(): void {
    if (this.#isSealed && this.#open === 0) this.#empty.resolve();
  }
}
