// What stands for names in the maps of the memory store.
import { assertEquals, assertNotEquals } from "@std/assert";
import fc from "fast-check";
import { hashableOf, nameOf } from "../../kv/memory/hashable.ts";

Deno.test("a name that looks like an index goes by a number, any other as it is", () => {
  const indexes = ["0", "1", "9", "10", "65536", "4294967294", "4294967295"];
  for (const name of indexes) {
    assertEquals(typeof hashableOf(name), "number", name);
    assertEquals(nameOf(hashableOf(name)), name);
  }
  const others = [
    "",
    "00",
    "01",
    "1e5",
    "1.0",
    "-1",
    "+1",
    " 1",
    "1 ",
    "4294967296",
  ];
  for (const name of [...others, "9999999999", "12345678901", "1a", "a", "١"]) {
    assertEquals(hashableOf(name), name);
    assertEquals(nameOf(hashableOf(name)), name);
  }
  assertNotEquals(hashableOf("65536"), 65_536);
});

Deno.test("every name has its own key in a Map, which tells the name", () => {
  const name = fc.oneof(
    fc.string(),
    fc.integer().map(String),
    fc.nat({ max: 2 ** 33 }).map(String),
    fc.constantFrom("0", "00", "0x1", "1e3", "1000"),
  );
  fc.assert(fc.property(name, name, (a, b) => {
    assertEquals(nameOf(hashableOf(a)), a);
    assertEquals(hashableOf(a) === hashableOf(b), a === b);
  }));
});
