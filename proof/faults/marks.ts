// A process that writes numbers, and tells each one once it is acknowledged.
import type { KvStore } from "../../kv/store.ts";
import { openKv } from "../../open/mod.ts";

/** How many keys are written at the same time. */
export const LANES = 8;

/** What is written. */
export interface Mark {
  readonly number: number;
  readonly padding: string;
}

/** Returns the value of a number: some take several chunks in Deno KV. */
function markOf(number: number): Mark {
  const length = number % 50 === 0 ? 70_000 : number % 1_000;
  return { number, padding: `${number}`.padStart(length, ".") };
}

/** Whether a value is one that was written. */
export function isWhole(mark: Mark): boolean {
  return mark.padding === markOf(mark.number).padding;
}

/** Writes numbers to a key until the process is killed, by `set` or by `cas`. */
async function makeWrites(
  kv: Required<KvStore>,
  lane: number,
  last: number,
  onAcknowledged: (number: number) => void,
): Promise<never> {
  const key = ["lane", `${lane}`] as const;
  for (let number = last + 1;; number++) {
    if (number % 2 === 0) {
      await kv.set(key, markOf(number));
    } else {
      const before = number === 1 ? undefined : markOf(number - 1);
      if (!await kv.cas(key, before, markOf(number))) {
        throw new Error(`lane ${lane}: ${number - 1} is not there`);
      }
    }
    onAcknowledged(number);
  }
}

if (import.meta.main) {
  const [url, acknowledged] = Deno.args as [string, string];
  await using store = await openKv(url);
  const encoder = new TextEncoder();
  await Promise.all(
    (JSON.parse(acknowledged) as number[]).map((last, lane) =>
      makeWrites(store as never, lane, last, (number) => {
        Deno.stdout.writeSync(encoder.encode(`${lane} ${number}\n`));
      })
    ),
  );
}
