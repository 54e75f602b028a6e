/**
 * Giving the event loop a turn.
 *
 * @module
 */

/** How long synchronous work may hold up the event loop, in milliseconds. */
export const TURN_BUDGET = 10;

type Schedule = (callback: () => void) => unknown;

/**
 * Calls back once timers, sockets and other events had their turn. On Deno,
 * `setImmediate` starves the network; on Node, it lets the network in and is
 * much faster than a timer.
 */
export const nextTurn: Schedule = (() => {
  const { setImmediate, Deno } = globalThis as {
    setImmediate?: Schedule;
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
