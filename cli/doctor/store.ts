/** What `kv doctor` checks on every store, by using it. */

import { KvCorruptionError, KvError } from "../../kv/errors.ts";
import type { KvExtendedStore, KvKey } from "../../kv/store.ts";
import { redacted } from "../errors.ts";
import { formatEntries, formatKey } from "../format.ts";
import { fault, type Finding, ok } from "./finding.ts";

const ROUND_TRIPS = 200;

/** How many entries to look at for damaged ones. */
const SAMPLE = 1_000;

/** Connects, and measures round trips; throws if that fails. */
export async function* diagnoseConnection(
  kv: KvExtendedStore,
): AsyncGenerator<Finding> {
  const start = performance.now();
  await kv.check();
  const connected = performance.now() - start;
  const { driver, shared } = kv.traits;
  yield ok(
    "connect",
    `driver ${driver}, shared within one ${shared}, ${ms(connected)}`,
  );
  const times: number[] = [];
  for (let i = 0; i < ROUND_TRIPS; i++) {
    const start = performance.now();
    await kv.check();
    times.push(performance.now() - start);
  }
  times.sort((a, b) => a - b);
  const [median, p99] = [times[ROUND_TRIPS >> 1]!, times[ROUND_TRIPS - 3]!];
  const detail = `median ${ms(median)}, 99th percentile ${ms(p99)}`;
  yield median < 10 ? ok("round trip", detail) : fault(
    "warning",
    "round trip",
    `${detail}: every call takes at least one`,
    "move the program and the database closer together, or use cached()",
  );
}

/** Writes, reads, swaps and deletes an entry that nobody else has. */
export async function* diagnoseWrites(
  kv: KvExtendedStore,
): AsyncGenerator<Finding> {
  const key: KvKey = ["@org/kv", "doctor", crypto.randomUUID()];
  const ttl = { ttl: 60_000 };
  const steps: [string, () => Promise<unknown>][] = [
    ["write", () => kv.set(key, 1, ttl)],
    ["read", () => kv.get(key).then(found)],
    ...kv.cas === undefined ? [] : [[
      "swap",
      () => kv.cas!(key, 1, 2, ttl).then(swapped),
    ] as [string, () => Promise<unknown>]],
    ["delete", () => kv.delete(key)],
  ];
  for (const [check, step] of steps) {
    try {
      await step();
      yield ok(check, "works");
    } catch (error) {
      yield failed(check, error);
    }
  }
}

/** Lists keys, and looks for entries that cannot be decoded. */
export async function* diagnoseEntries(
  kv: KvExtendedStore,
): AsyncGenerator<Finding> {
  let entries = 0;
  let after: KvKey | undefined;
  const damaged: string[] = [];
  while (entries < SAMPLE) {
    try {
      const options = { limit: SAMPLE - entries, after };
      for await (const { key } of kv.list([], options)) {
        entries++;
        after = key;
      }
      break;
    } catch (error) {
      if (!(error instanceof KvCorruptionError)) {
        yield failed("list", error);
        return;
      }
      const key = await keyAfter(kv, after);
      if (key === undefined) break;
      damaged.push(formatKey(key));
      entries++;
      after = key;
    }
  }
  yield ok("list", `${formatEntries(entries)} read`);
  if (damaged.length > 0) {
    yield fault(
      "error",
      "damaged entries",
      `${damaged.length} of the first ${entries} cannot be decoded, such as ` +
        damaged[0],
      "find out who else writes to the store; kv rm deletes an entry",
    );
  }
}

async function keyAfter(
  kv: KvExtendedStore,
  after: KvKey | undefined,
): Promise<KvKey | undefined> {
  for await (const { key } of kv.keys([], { limit: 1, after })) return key;
  return undefined;
}

/** A finding about a call that failed. */
export function failed(check: string, error: unknown): Finding {
  const message = redacted((error as Error).message);
  return fault("error", check, message, fixOf(message, error));
}

/** What helps against the errors that people see most. */
function fixOf(message: string, error: unknown): string {
  const code = `${(error as { cause?: { code?: unknown } }).cause?.code}`;
  const text = `${message} ${code}`;
  if (
    /WRONGPASS|NOAUTH|password|28P01|ACCESS_DENIED|Access denied/i.test(text)
  ) {
    return "check the user and the password of the URL";
  }
  if (/NOPERM|permission denied|42501|command denied|read.?only/i.test(text)) {
    return "grant the rights that the page of the store lists";
  }
  if (/ENOTFOUND|EAI_AGAIN|getaddrinfo|lookup/.test(text)) {
    return "check the host of the URL";
  }
  if (
    /ECONNREFUSED|CONNECT_TIMEOUT|ETIMEDOUT|silent|refused|max retries|closed/i
      .test(text)
  ) return "check the host and port of the URL, and that the server runs";
  if (/does not exist|unknown database|3D000/i.test(text)) {
    return "create the database, or check its name in the URL";
  }
  return error instanceof KvError
    ? "look at the log of the server"
    : "check the URL";
}

function found(value: unknown): void {
  if (value === undefined) throw new Error("what was written is missing");
}

function swapped(wasSwapped: boolean): void {
  if (!wasSwapped) throw new Error("the value that was written is another one");
}

function ms(milliseconds: number): string {
  return `${milliseconds.toFixed(2)} ms`;
}
