/**
 * Noticing that a backend is silent.
 *
 * @module
 */

/** Something that waits for a backend. */
export interface Waiting {
  /** Whether the backend gave a sign of life since the last look. */
  alive: boolean;
  /** For how long the backend has been silent, in milliseconds. */
  silence: number;
}

/** How often to look at what waits, in milliseconds. */
const INTERVAL = 50;

/** How many microtasks to wait for another call before the timer is cleared. */
const IDLE_HOPS = 8;

const READY = Promise.resolve();

/*
 * A timer for each call would cost several percent of a fast call. So there is
 * one timer for everything that waits, and what waits says whether it heard from
 * the backend since the timer last fired. The timer is kept between two calls
 * that follow each other within a few microtasks, and is cleared otherwise:
 * nothing is left running.
 *
 * While other work blocks the event loop, answers cannot arrive either. So a
 * look counts for two intervals at most, however late it comes.
 */

/** Reports everything that has waited in silence for too long. */
export class Deadline {
  /** Whether a call succeeded since the last look. */
  hasSucceeded = false;
  readonly #timeout: number;
  readonly #interval: number;
  readonly #onSilence: (waiting: Waiting[]) => void;
  readonly #onFailure: () => void;
  readonly #waiting = new Set<Waiting>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #looked = 0;
  #hops = 0;
  /** For how long calls have waited without a success, in milliseconds. */
  #failing = 0;

  /**
   * @param timeout The longest silence in milliseconds, or `Infinity`.
   * @param onSilence Receives what has waited for longer, all at once.
   * @param onFailure Is called when no call has succeeded for as long, although
   * some wait all the time.
   */
  constructor(
    timeout: number,
    onSilence: (waiting: Waiting[]) => void,
    onFailure: () => void = () => {},
  ) {
    this.#timeout = timeout;
    this.#interval = Math.max(1, Math.min(INTERVAL, timeout / 4));
    this.#onSilence = onSilence;
    this.#onFailure = onFailure;
  }

  /** Starts to watch. */
  add(waiting: Waiting): void {
    if (this.#timeout === Infinity) return;
    this.#waiting.add(waiting);
    if (this.#timer !== undefined) return;
    this.#failing = 0;
    this.#start();
  }

  /** Stops watching. */
  delete(waiting: Waiting): void {
    if (this.#timeout === Infinity) return;
    this.#waiting.delete(waiting);
    if (this.#waiting.size === 0 && this.#hops === 0) this.#clearWhenIdle();
  }

  #start(): void {
    this.#looked = performance.now();
    this.#timer = setTimeout(this.#look, this.#interval);
  }

  readonly #clearWhenIdle = (): void => {
    if (this.#waiting.size > 0) {
      this.#hops = 0;
    } else if (this.#hops++ < IDLE_HOPS) {
      READY.then(this.#clearWhenIdle);
    } else {
      this.#hops = 0;
      clearTimeout(this.#timer!);
      this.#timer = undefined;
    }
  };

  readonly #look = (): void => {
    this.#timer = undefined;
    const elapsed = Math.min(
      performance.now() - this.#looked,
      2 * this.#interval,
    );
    const silent: Waiting[] = [];
    for (const waiting of this.#waiting) {
      waiting.silence = waiting.alive ? 0 : waiting.silence + elapsed;
      waiting.alive = false;
      if (waiting.silence < this.#timeout) continue;
      this.#waiting.delete(waiting);
      silent.push(waiting);
    }
    this.#failing = this.hasSucceeded ? 0 : this.#failing + elapsed;
    this.hasSucceeded = false;
    if (this.#waiting.size > 0) this.#start();
    if (silent.length > 0) this.#onSilence(silent);
    if (this.#failing < this.#timeout) return;
    this.#failing = 0;
    this.#onFailure();
  };
}
