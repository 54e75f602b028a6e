// Keys are sorted in steps, as they would be sorted at once.
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { compareStrings } from "../../kv/core/key.ts";
import { KeySorter } from "../../kv/redis/sort.ts";

/** Sorts by a sorter, which returns so many keys at a time. */
function sortBy(ids: readonly string[], step: number, reverse = false) {
  const sorter = new KeySorter(reverse);
  for (const id of ids) sorter.add(id);
  const sorted: string[] = [];
  while (true) {
    const taken = sorter.take(step);
    assert(taken.length <= step);
    if (taken.length === 0) return sorted;
    sorted.push(...taken);
  }
}

Deno.test("a sorter returns each key once, in the order of code points", () => {
  const id = fc.string({ unit: "binary", maxLength: 4 });
  fc.assert(fc.property(
    fc.array(id, { maxLength: 60 }),
    fc.integer({ min: 1, max: 20 }),
    fc.boolean(),
    (ids, step, reverse) => {
      const expected = [...new Set(ids)].sort(compareStrings);
      if (reverse) expected.reverse();
      assertEquals(sortBy(ids, step, reverse), expected);
    },
  ));
});

Deno.test("a sorter merges its runs, with keys that sort differently in UTF-16", () => {
  for (const suffix of ["", "\u{1f600}"]) {
    const ids = Array.from(
      { length: 40_000 },
      (_, i) =>
        `${(i * 7_919) % 30_000}${i % 1_000 === 0 ? "\uffff" : ""}` +
        (i > 20_000 ? suffix : ""),
    );
    const expected = [...new Set(ids)].sort(compareStrings);
    assertEquals(sortBy(ids, 1_000), expected);
    assertEquals(sortBy(ids, 999, true), expected.toReversed());
  }
});
