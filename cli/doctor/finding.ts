/** What `kv doctor` finds. */

/** How much a finding matters; only an error changes the exit code. */
export type Level = "ok" | "note" | "warning" | "error";

/** What a check found, and what to do about it. */
export interface Finding {
  readonly check: string;
  readonly level: Level;
  readonly detail: string;
  readonly fix?: string;
}

/** What to check. */
export interface Subject {
  readonly url: string;
  readonly table: string;
  readonly keyPrefix: string;
}

export function ok(check: string, detail: string): Finding {
  return { check, level: "ok", detail };
}

/** A finding that something should be done about. */
export function fault(
  level: "note" | "warning" | "error",
  check: string,
  detail: string,
  fix: string,
): Finding {
  return { check, level, detail, fix };
}

/** How far the clock of the server is off, and whether that matters. */
export function clock(
  serverTime: number,
  before: number,
  after: number,
): Finding {
  const skew = Math.round(serverTime - (before + after) / 2);
  const uncertainty = Math.ceil((after - before) / 2);
  const detail = `the server's clock is ${Math.abs(skew)} ms ` +
    `${skew < 0 ? "behind" : "ahead of"} this one (± ${uncertainty} ms)`;
  return Math.abs(skew) - uncertainty < 1_000 ? ok("clock", detail) : fault(
    "warning",
    "clock",
    `${detail}: entries expire by the server's clock`,
    "synchronize both clocks, for example by chrony or systemd-timesyncd",
  );
}
