// What the entry points import: nothing that only Node has.
import { assertEquals } from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import { run } from "../../servers/run.ts";

const root = new URL("../../", import.meta.url).pathname;

/** The command line runs in Node, Deno and Bun only. */
const entries = Object.values(config.exports).filter((it) => !/cli/.test(it));

interface Graph {
  modules: {
    specifier: string;
    dependencies?: {
      isDynamic?: boolean;
      code?: { specifier?: string };
    }[];
  }[];
}

Deno.test("no module but the command line imports a module of Node", async () => {
  const entry = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(
      entry,
      entries.map((path) => `import "file://${root}${path}";\n`).join(""),
    );
    const { ok, stdout, stderr } = await run([
      Deno.execPath(),
      ...["info", "--json", "--no-lock", `--config=${root}deno.json`, entry],
    ]);
    assertEquals([ok, ok ? "" : stderr], [true, ""]);
    const { modules } = JSON.parse(stdout) as Graph;
    const found = modules.flatMap(({ specifier, dependencies = [] }) =>
      dependencies
        .filter(({ isDynamic, code }) =>
          !isDynamic && code?.specifier?.startsWith("node:")
        )
        .map(({ code }) => `${specifier.slice(7)} imports ${code!.specifier}`)
    );
    assertEquals(found, []);
    assertEquals(modules.length > entries.length, true);
  } finally {
    await Deno.remove(entry);
  }
});
