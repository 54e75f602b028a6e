// The layout check finds each kind of fault.
import { assertEquals } from "@std/assert";
import { circlesOf, faultsOf, readImports, readSources } from "./layout.ts";

const HEADER = "// A store.\n";

function rulesOf(path: string, text: string): string[] {
  return faultsOf([{ path, text }]).map((fault) => fault.split(":")[0]!);
}

Deno.test("a file over 12 KB is a fault in kv/ and testing/ only", () => {
  const large = HEADER + "x".repeat(12_001 - HEADER.length);
  assertEquals(rulesOf("kv/core/a.ts", large), ["size"]);
  assertEquals(rulesOf("testing/a.ts", large), ["size"]);
  assertEquals(rulesOf("tests/a.ts", large), []);
  assertEquals(rulesOf("kv/core/a.ts", large.slice(1)), ["header"]);
});

Deno.test("the size of a file counts bytes", () => {
  assertEquals(rulesOf("kv/core/a.ts", HEADER + "é".repeat(6_000)), ["size"]);
});

Deno.test("a driver class file over 200 lines is a fault", () => {
  const long = HEADER + "\n".repeat(200);
  assertEquals(rulesOf("kv/redis.ts", long), ["lines"]);
  assertEquals(rulesOf("kv/redis.ts", long.slice(0, -1)), []);
  assertEquals(rulesOf("kv/redis/write.ts", long), []);
  assertEquals(rulesOf("kv/store.ts", long), []);
});

Deno.test("a file without a line that says what it is is a fault", () => {
  for (
    const text of [
      'import "./b.ts";\n',
      '// deno-lint-ignore-file\nimport "./b.ts";\n',
      '// @ts-types="./b.d.ts"\nimport "./b.ts";\n',
      '/// <reference types="./b.d.ts" />\n',
      "/** The first symbol. */\nexport const a = 1;\n",
    ]
  ) assertEquals(rulesOf("tests/a.ts", text), ["header"], text);
  for (
    const text of [
      '// A file.\nimport "./b.ts";\n',
      '/** A file. */\nimport "./b.ts";\n',
      "/** A file. */\n\n/** The first symbol. */\nexport const a = 1;\n",
      "/**\n * A file.\n *\n * @module\n */\nexport const a = 1;\n",
    ]
  ) assertEquals(rulesOf("tests/a.ts", text), [], text);
});

Deno.test("a circle of imports is a fault", () => {
  assertEquals(
    circlesOf(
      new Map([["a", ["b", "c"]], ["b", ["c"]], ["c", ["d"]], ["d", ["b"]]]),
    ),
    ["circle: b -> c -> d -> b"],
  );
  assertEquals(circlesOf(new Map([["a", ["b", "c"]], ["b", ["c"]]])), []);
});

Deno.test("imports are read from the sources, type imports included", async () => {
  const root = `${await Deno.makeTempDir()}/`;
  try {
    await Deno.mkdir(`${root}kv`);
    await Deno.writeTextFile(
      `${root}kv/a.ts`,
      'import type { B } from "./b.ts";\nexport type A = B;\n',
    );
    await Deno.writeTextFile(
      `${root}kv/b.ts`,
      'export type { A as B } from "./a.ts";\n',
    );
    const imports = await readImports(await readSources(root), root);
    assertEquals(circlesOf(imports), ["circle: kv/a.ts -> kv/b.ts -> kv/a.ts"]);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});
