/**
 * Giving the event loop a turn.
 *
 * @module
 */

/** How long synchronous work may hold up the event loop, in milliseconds. */
export const TURN_BUDGET = 10;

/** After how many calls that are answered at once to look at the clock. */
const PACE_CALLS = 16;

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
 * ever. An immediate tells whether the loop still turns: once one has waited for
 * too long, all calls wait for a turn. Where there are no immediates, in
 * browsers, calls never wait.
 */
const { setImmediate: onTurn } = globalThis as { setImmediate?: Schedule };
let calls = PACE_CALLS;
let turned = 0;
let expected: number | undefined;
let due: Promise<void> | undefined;

/** Returns the result of a call at once, or after a turn of the event loop. */
export function paced<T>(result: T): T | Promise<T> {
  return --calls > 0 ? result : look(result);
}

function look<T>(result: T): T | Promise<T> {
  if (due !== undefined) return due.then(() => result);
  calls = PACE_CALLS;
  const now = performance.now();
  if (now - turned < TURN_BUDGET || onTurn === undefined) return result;
  if (expected === undefined) {
    expected = now;
    onTurn(noteTurn);
    return result;
  }
  if (now - expected < TURN_BUDGET) return result;
  // Until then, every call comes here.
  calls = 0;
  due = turn().then(() => {
    due = undefined;
    noteTurn();
  });
  return due.then(() => result);
}

function noteTurn(): void {
  calls = PACE_CALLS;
  expected = undefined;
  turned = performance.now();
}
