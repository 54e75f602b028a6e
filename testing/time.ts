// Real timers and clocks, even while a test fakes the global ones.
export const { setTimeout, clearTimeout, performance } = globalThis;

/** Milliseconds of the real clock. */
export const now: () => number = performance.now.bind(performance);

/** Lets other pending tasks run first. */
export async function nextTask(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 0));
}
