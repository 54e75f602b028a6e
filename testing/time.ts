// Real timers and clocks, even while a test fakes the global ones.
// What opens a store may put a fake clock in place of these; a limit, a wait
// and a measured time are real.
export const { setTimeout, clearTimeout, performance } = globalThis;

/** Lets everything else go on that waits for its turn. */
export async function nextTask(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 0));
}
