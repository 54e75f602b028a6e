/**
 * Giving the event loop a turn.
 *
 * @module
 */

/** How long synchronous work may hold up the event loop, in milliseconds. */
export const TURN_BUDGET = 10;

/** How long calls of a store without batches may hold it up. */
const PACE_BUDGET = 30;

/** After how many such calls to look at the clock. */
const PACE_CALLS = 16;

/** How long so few calls take at most, if they are made without a break. */
const PACE_BREAK = 100;

type Schedule = (callback: () => void) => unknown;

/**
 * Calls back once timers, sockets and other events had their turn. On Deno,
 * `setImmediate` starves the network; on Node, it lets the network in and is
 * much faster than a timer.
 */
export const nextTurn: Schedule = (() => {
  // Fake timers that are installed later hold up nobody.
  const { setImmediate, setTimeout, Deno } = globalThis as {
    setImmediate?: Schedule;
    setTimeout: (callback: () => void, milliseconds: number) => unknown;
    Deno?: unknown;
  };
  return setImmediate !== undefined && Deno === undefined
    ? setImmediate
    : (callback) => setTimeout(callback, 0);
})();

/** Waits until timers, sockets and other events had their turn. */
export function turn(): Promise<void> {
  return new Promise((resolve) => nextTurn(resolve));
}

/*
 * Calls that are answered at once resume their callers in microtasks, before the
 * event loop gets its turn. So callers that go on calling would hold it up for
 * ever. Once calls were made without a break for long enough, all of them wait
 * for the same turn.
 */
let calls = PACE_CALLS;
let looked = 0;
let begun = 0;
let due: Promise<void> | undefined;

/** Returns the result of a call at once, or after a turn of the event loop. */
export function paced<T>(result: T): T | Promise<T> {
  return --calls > 0 ? result : look(result);
}

function look<T>(result: T): T | Promise<T> {
  if (due === undefined) {
    calls = PACE_CALLS;
    const now = performance.now();
    if (now - looked > PACE_BREAK) begun = now;
    looked = now;
    if (now - begun < PACE_BUDGET) return result;
    // Until then, every call comes here.
    calls = 0;
    due = turn().then(() => {
      due = undefined;
      calls = PACE_CALLS;
      begun = looked = performance.now();
    });
  }
  return due.then(() => result);
}
