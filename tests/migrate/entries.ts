// Entries for tests of migrations: every odd key part, value and TTL.
import { assert, assertEquals } from "@std/assert";
import type { KvExtendedStore, KvKey } from "../../mod.ts";

/** An entry that a source has. */
export interface Entry {
  readonly key: KvKey;
  readonly value: unknown;
  /** As Fedify takes it. */
  readonly ttl?: Temporal.Duration;
}

const PARTS = [
  ...["", ":", "::", ":::", "a:", ":a", "a::b", "_", "__", "_:", ":_", "a_"],
  ...["_:_", "a_:", "_::", "!", '"', "'", "\\", "/", "*", "?", "[a]", "{a}"],
  ...["%", "\n", " ", "é", "\u{1F600}", "\uFFFD", "NULL", "null", ","],
  ...["\uFEFF", "https://example.com/@alice?a=1#b"],
];

const VALUES = [
  ...[{ id: "https://example.com/", n: [1, { a: null }] }, null, true, false],
  ...[0, -1.5, "", "text", "é \u{1F600}", [], {}, [[], {}, null], "rfc9421"],
];

const TTLS = [
  undefined,
  Temporal.Duration.from({ hours: 1 }),
  undefined,
  Temporal.Duration.from({ days: 30, seconds: 7 }),
];

/**
 * The keys of one and two odd parts, some of three, and ordinary ones.
 *
 * @param parts The odd parts.
 * @param ordinary How many ordinary ones.
 */
export function keys(
  parts: readonly string[] = PARTS,
  ordinary = 500,
): KvKey[] {
  const colons = parts.filter((part) => /^[:_a]*$/.test(part)).slice(0, 8);
  return [
    ...parts.map((a): KvKey => [a]),
    ...parts.flatMap((a) => parts.map((b): KvKey => [a, b])),
    ...colons.flatMap((a) =>
      colons.flatMap((b) => colons.map((c): KvKey => ["3", a, b, c]))
    ),
    ...Array.from(
      { length: ordinary },
      (_, i): KvKey => ["_fedify", "publicKey", `https://example.com/${i}#key`],
    ),
  ];
}

/**
 * About 2,300 entries, or more.
 *
 * @param extraParts Odd parts that only some sources can hold.
 * @param atLeast How many entries there must be.
 */
export function entries(
  extraParts: readonly string[] = [],
  atLeast = 0,
): Entry[] {
  const parts = [...PARTS, ...extraParts];
  const odd = keys(parts, 0).length;
  return keys(parts, Math.max(500, atLeast - odd)).map((key, i) => {
    const ttl = TTLS[i % TTLS.length];
    const value = VALUES[i % VALUES.length];
    return ttl === undefined ? { key, value } : { key, value, ttl };
  });
}

/** What a target must have: values and expiries by the JSON of the key. */
export type Expected = Map<string, { value: unknown; expires?: number }>;

/**
 * Checks that a target has exactly some entries.
 *
 * @param target The target.
 * @param expected The entries.
 * @param tolerance How many milliseconds expiries may be apart.
 */
export async function assertHas(
  target: KvExtendedStore,
  expected: Expected,
  tolerance: number,
): Promise<void> {
  const found = new Set<string>();
  for await (const { key, value, expires } of target.list()) {
    const id = JSON.stringify(key);
    const entry = expected.get(id);
    assert(entry !== undefined, `${id} is unexpected`);
    assertEquals(value, entry.value, id);
    assertEquals(expires === undefined, entry.expires === undefined, id);
    const distance = (expires ?? 0) - (entry.expires ?? 0);
    assert(
      Math.abs(distance) <= tolerance,
      `${id} expires ${distance} ms too late`,
    );
    found.add(id);
  }
  assertEquals(found.size, expected.size);
}

/** Runs calls, a few at once. */
export async function inTurns<T>(
  items: readonly T[],
  call: (item: T) => Promise<unknown>,
  atOnce = 128,
): Promise<void> {
  let next = 0;
  await Promise.all(Array.from({ length: atOnce }, async () => {
    while (next < items.length) await call(items[next++]!);
  }));
}
