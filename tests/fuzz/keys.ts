// Keys and prefixes that encodings, patterns and limits trip over.
import fc from "fast-check";
import type { KvKey } from "../../kv/store.ts";

const hostileParts = [
  ..."/*[]?%_\"'\\\n\0\x01\x02! #{}:.~^$",
  ...["", "::", "{a}", "a", "aa", "A", "0", "01", "..", "kv", "null"],
  ...["\uE000", "\uFFFF", "\u{10FFFF}", "😀", "é", "e\u0301", "__proto__"],
];

const part = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...hostileParts) },
  {
    weight: 3,
    arbitrary: fc.string({ unit: "binary", maxLength: 5 })
      .map((text) => text.toWellFormed()),
  },
  {
    weight: 1,
    // Around the limits of the backends, and the one of the contract.
    arbitrary: fc.tuple(
      fc.constantFrom("x", "\0", "é", "😀"),
      fc.constantFrom(60, 250, 505, 512, 680, 1_020, 2_046, 2_049, 2_700),
      fc.constantFrom("", "y"),
    ).map(([text, times, end]) => text.repeat(times).slice(0, 2_700) + end),
  },
);

const key = fc.array(part, { minLength: 1, maxLength: 4 })
  .map(([first, ...rest]): KvKey => [first!.toWellFormed(), ...rest])
  .map((key) => key.map((each) => each.toWellFormed()) as unknown as KvKey)
  .filter((key) => new TextEncoder().encode(key.join("")).length <= 8_192);

/** Some keys, among them some that others start with. */
export const keys: fc.Arbitrary<KvKey[]> = fc.array(
  fc.tuple(key, fc.nat(3), part),
  { minLength: 1, maxLength: 5 },
).map((picks) =>
  picks.flatMap(([key, relation, more], i) => {
    const other = picks[(i + 1) % picks.length]![0];
    const longer: KvKey = [...key, more];
    const sibling = [...other.slice(0, -1), more] as unknown as KvKey;
    return [[key], [key, longer], [key, sibling], [key, other]][relation]!;
  }).filter((key) => new TextEncoder().encode(key.join("")).length <= 8_192)
);

/** Keys that every method must reject. */
export const badKeys = [
  [],
  ["a", 1],
  ["\uD800"],
  ["a", undefined],
  "a",
  null,
  ["x".repeat(8_193)],
] as unknown as KvKey[];
