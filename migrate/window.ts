/**
 * Many calls at once, but only so many that memory stays bounded.
 *
 * @module
 */

/** How many calls may be pending: enough to fill the batches of any driver. */
const SIZE = 512;

/** Calls that are pending. The first one that fails ends everything. */
export class Window {
  #pending = 0;
  #wake: (() => void) | undefined;
  #failure: { readonly error: unknown } | undefined;
  #page: Promise<void>[] = [];
  #finished: Promise<void> = Promise.resolve();

  /**
   * Starts a call, after others have ended if too many are pending.
   *
   * @param call Makes the call.
   * @throws The error of a call that failed before.
   */
  async start(call: () => Promise<void>): Promise<void> {
    if (this.#pending >= SIZE) {
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    this.#throwIfFailed();
    this.#pending++;
    this.#page.push(call().catch((error) => this.#fail(error)).then(this.#end));
  }

  /**
   * Ends a page.
   *
   * @param then Is called when all calls up to here have succeeded.
   */
  endPage(then?: () => void | Promise<void>): void {
    const page = this.#page;
    this.#page = [];
    this.#finished = this.#finished.then(async () => {
      await Promise.all(page);
      if (this.#failure === undefined) await then?.();
    }).catch((error) => this.#fail(error));
  }

  /**
   * Waits until nothing is pending.
   *
   * @throws The error of the first call that failed.
   */
  async finish(): Promise<void> {
    this.endPage();
    await this.#finished;
    this.#throwIfFailed();
  }

  readonly #end = (): void => {
    this.#pending--;
    // Half a window at once makes larger batches than one call at a time.
    if (this.#pending > SIZE / 2 && this.#failure === undefined) return;
    this.#wake?.();
    this.#wake = undefined;
  };

  #fail(error: unknown): void {
    this.#failure ??= { error };
  }

  #throwIfFailed(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}
