/**
 * Damaged and foreign stored forms, at random but repeatable.
 *
 * @module
 */

/** Numbers from 0 to 1, the same ones for the same seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = state + 0x6d2b79f5 | 0;
    let t = Math.imul(state ^ state >>> 15, 1 | state);
    t = t + Math.imul(t ^ t >>> 7, 61 | t) ^ t;
    return ((t ^ t >>> 14) >>> 0) / 2 ** 32;
  };
}

/** One of several. */
export function pick<T>(random: () => number, all: readonly T[]): T {
  return all[Math.floor(random() * all.length)]!;
}

/** What other programs may store, and what only looks like a stored form. */
export const foreign: readonly (string | Uint8Array)[] = [
  "",
  " ",
  "undefined",
  "NaN",
  "[object Object]",
  "{",
  '{"a":',
  "'a'",
  "hello",
  "1 2",
  "\ufeff1",
  "\0",
  "[".repeat(60_000),
  `${"[".repeat(900)}${"]".repeat(900)}`,
  '{"key":["a"],"value":1}',
  '{"key":"a","value":1}',
  '{"__proto__":{"a":1}}',
  "1e999",
  "9".repeat(10_000),
  new Uint8Array(),
  bytes("00"),
  bytes("00".repeat(25)),
  bytes(`00${"ff".repeat(24)}`),
  bytes("d9d9f7"),
  bytes("d9d9f7f7"), // undefined
  bytes("d9d9f7f6"), // null
  bytes("d9d9f7c2"), // a bigint without its bytes
  bytes("d9d9f75b7fffffffffffffff"), // bytes, nearly 2^63 of them
  bytes("d9d9f79b00000000ffffffff"), // an array of 2^32 members
  bytes("d9d9f7bb00000000ffffffff"), // a map of 2^32 members
  bytes(`d9d9f7${"81".repeat(60_000)}`),
  bytes(`d9d9f7${"d9d9f7".repeat(20_000)}01`),
  bytes("d9d9f79fff"),
  bytes("d9d9f70000"),
  bytes("ff"),
  bytes("efbbbf31"),
  bytes("1f8b0800000000000003"),
  bytes("ffff7b7d"),
];

/**
 * Changes a stored form: cut, flipped, extended, mixed, or replaced.
 *
 * @param random Numbers from 0 to 1.
 * @param stored The stored form.
 * @returns Another one, of the same type or not.
 */
export function mutate(
  random: () => number,
  stored: string | Uint8Array,
): string | Uint8Array {
  if (random() < 0.25) return pick(random, foreign);
  const isText = typeof stored === "string";
  let units = isText
    ? Array.from(stored, (each) => each.charCodeAt(0))
    : [...stored];
  const limit = isText ? 0xd800 : 0x100;
  const at = Math.floor(random() * units.length);
  const unit = () => Math.floor(random() * (random() < 0.5 ? 0x80 : limit));
  pick(random, [
    () => units.splice(at),
    () => units.splice(0, at),
    () => units.splice(at, 0, unit()),
    () => units.splice(at, 1 + Math.floor(random() * 8)),
    () => units[at] = (units[at] ?? 0) ^ 1 << Math.floor(random() * 7),
    () => units = units.concat(units.slice(at)),
    () => units.fill(unit(), at, at + 1 + Math.floor(random() * 8)),
    () => units = units.map(unit),
  ])();
  return isText && random() < 0.9
    ? units.map((unit) => String.fromCharCode(unit)).join("")
    : Uint8Array.from(units);
}

function bytes(hex: string): Uint8Array {
  return Uint8Array.from(
    hex.match(/../g) ?? [],
    (pair) => Number.parseInt(pair, 16),
  );
}
