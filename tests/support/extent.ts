// How much the tests cover: `task test:all` also runs the suite on rarer set-ups.

/** Whether to run what `task test` leaves out to end within ten minutes. */
export const isFull = Deno.env.get("KV_TEST_ALL") === "1";
