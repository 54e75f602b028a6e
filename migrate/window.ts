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
  #page: Promise<boolean>[] = [];
  /** Whether all calls of the pages so far succeeded, once they have ended. */
  #finished: Promise<boolean> = Promise.resolve(true);

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
    this.#page.push(
      call().then(() => true, this.#fail).finally(this.#end),
    );
  }

  /**
   * Ends a page.
   *
   * @param then Is called once all calls up to here have succeeded.
   */
  endPage(then?: () => void | Promise<void>): void {
    const page = this.#page;
    this.#page = [];
    this.#finished = this.#finished.then(async (before) => {
      const results = await Promise.all(page);
      if (!before || results.includes(false)) return false;
      await then?.();
      return true;
    }).catch(this.#fail);
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

  readonly #fail = (error: unknown): boolean => {
    this.#failure ??= { error };
    return false;
  };

  #throwIfFailed(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}
