/**
 * Prints how time and memory grow with the size of hostile keys and values:
 * `deno task bench:hostile`. Twice the size may take twice as much, not more.
 *
 * @module
 */
import { checkAndEncodeKey } from "../kv/core/key.ts";
import { copyValue } from "../kv/core/copy.ts";
import { equalValues } from "../kv/core/equal.ts";
import { decodeValue, encodeValue } from "../kv/core/value.ts";
import { type KvKey, MemoryKvStore } from "../mod.ts";
import { keys, values } from "./hostile_values.ts";

const sizes = [1_000, 2_000, 4_000, 8_000, 16_000, 32_000];

/** The least time of some rounds in milliseconds, and the heap it took. */
function measure(run: () => unknown): { time: number; heap: number } {
  let time = Infinity;
  let heap = Infinity;
  for (let i = 0; i < 5; i++) {
    const before = Deno.memoryUsage();
    const start = performance.now();
    const result = run();
    time = Math.min(time, performance.now() - start);
    const after = Deno.memoryUsage();
    // A collection in between makes the difference negative.
    const grown = after.heapUsed + after.external - before.heapUsed -
      before.external;
    if (result !== undefined && grown > 0) heap = Math.min(heap, grown);
  }
  return { time, heap };
}

function print(what: string, curve: { time: number; heap: number }[]): void {
  const times = curve.map(({ time }) => time.toFixed(2).padStart(9)).join("");
  const heaps = curve.map(({ heap }) =>
    (heap < Infinity ? `${Math.round(heap / 1024)}` : "–").padStart(8)
  ).join("");
  const growth = curve.at(-1)!.time / curve.at(-2)!.time;
  console.log(
    `  ${what.padEnd(8)} ms${times}   KiB${heaps}   ×2: ${growth.toFixed(1)}`,
  );
}

console.log(`Sizes: ${sizes.join(", ")}. Least of 5 rounds.`);

for (const [name, make] of Object.entries(values)) {
  console.log(`\n${name}`);
  const made = sizes.map(make);
  const encoded = made.map((value) => encodeValue(value)!);
  const copies = made.map((value) => copyValue(value).value);
  const others = made.map((value) => copyValue(value).value);
  const each = (run: (i: number) => unknown) =>
    sizes.map((_, i) => measure(() => run(i)));
  print("encode", each((i) => encodeValue(made[i])));
  print("decode", each((i) => decodeValue(encoded[i]!)));
  print("equal", each((i) => equalValues(copies[i], others[i])));
  print("copy", each((i) => copyValue(made[i])));
}

for (const [name, make] of Object.entries(keys)) {
  console.log(`\n${name}`);
  const made = sizes.map((size) => make(Math.min(size, 8_000)));
  print(
    "encode",
    made.map((key) => measure(() => checkAndEncodeKey(key, "set"))),
  );
  print(
    "set",
    made.map((key) =>
      measure(() => {
        const kv = new MemoryKvStore();
        for (let i = 0; i < 100; i++) {
          kv.set([`${i}`, ...key].slice(0, 8_000) as unknown as KvKey, i);
        }
        return kv;
      })
    ),
  );
}
