// The TTLs that a plan picks from.
const hour = 3_600_000;

/** For a real clock: far away, or already over. */
export const realTtls = [hour, 2 * hour, 1e15, 0, -1, hour + 0.5, -0.5, hour];

/** For a clock that a plan sets, with the times that it lets pass. */
export const fakeTimes = {
  // Not shorter, as Deno KV sweeps by a clock that goes on.
  ttls: [hour, hour + 0.5, hour + 1, 2 * hour, 1e15, 0, -1, hour - 1],
  times: [1, hour - 1, hour, 2 * hour, 1, 1],
};
