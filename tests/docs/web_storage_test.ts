// The worked example of a driver passes the conformance suite.
import { assert, assertEquals, assertRejects } from "@std/assert";
import { WebStorageKvStore } from "../../examples/web_storage.ts";
import { conformance } from "../../testing/mod.ts";

function open() {
  return {
    store: new WebStorageKvStore(sessionStorage),
    close: () => sessionStorage.clear(),
  };
}

conformance({
  name: "WebStorageKvStore",
  open,
  without: new WebStorageKvStore(sessionStorage).traits.without,
});

Deno.test("WebStorageKvStore keeps plain values readable", async () => {
  const { store, close } = open();
  await store.set(["a", "b"], { c: 1 });
  assertEquals(sessionStorage.getItem("kv:a!b"), 'Infinity {"c":1}');
  close();
});

Deno.test("WebStorageKvStore rejects a value larger than its limit, and changes nothing", async () => {
  const { store, close } = open();
  await store.set(["a"], 1);
  await assertRejects(
    () => store.set(["a"], "x".repeat(11_000_000)),
    RangeError,
    'Cannot set ["a"]: value must take at most 10000000 bytes',
  );
  assertEquals(await store.get(["a"]), 1);
  close();
});

for (
  const [name, marker, count] of [
    ["web_storage.ts", "#storage", 4],
    ["postgres_table.ts", "#sql|#opening|isCertain|#swept", 4],
  ] as const
) {
  Deno.test(`the guide shows the code of ${name}`, async () => {
    const read = (path: string) =>
      Deno.readTextFile(new URL(`../../${path}`, import.meta.url));
    const unindented = (text: string) => text.replace(/^ +/gm, "");
    const example = unindented(await read(`examples/${name}`));
    const guide = await read("docs/write-a-driver.md");
    const snippets = [...guide.matchAll(/```ts ignore\n([^]*?)\n```/g)]
      .map(([, code]) => code!)
      .filter((code) => new RegExp(marker).test(code))
      .flatMap((code) => code.split(/\n\n(?=\S)/));
    assertEquals(snippets.length, count);
    for (const snippet of snippets) {
      assert(example.includes(unindented(snippet)), snippet);
    }
  });
}
