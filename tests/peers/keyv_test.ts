// Keyv's own test suite: on Keyv 5 here, on Keyv 6 in its own process.
import { assertEquals, assertMatch } from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import "./keyv_suite.ts";
// The process finds the servers that this module has started.
import "./stores.ts";

const root = new URL("../../", import.meta.url);

// Keyv 6 would become the peer of every package that takes any version.
Deno.test("Keyv's test suite on Keyv 6", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const imports = Object.entries(config.imports).map(([name, target]) => [
      name,
      target.startsWith(".") ? new URL(target, root).href : target,
    ]);
    await Deno.writeTextFile(
      `${folder}/deno.json`,
      JSON.stringify({
        imports: { ...Object.fromEntries(imports), keyv: "npm:keyv@6.1.0" },
        unstable: ["kv"],
      }),
    );
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        ...["test", "--allow-all", "--no-check", "--no-lock", "--quiet"],
        `--config=${folder}/deno.json`,
        new URL("keyv_suite.ts", import.meta.url).href,
      ],
      cwd: folder,
      env: { NO_COLOR: "1" },
    }).output();
    const [text, errors] = [stdout, stderr].map((each) =>
      new TextDecoder().decode(each)
    );
    assertEquals([code, code === 0 ? "" : `${text}\n${errors}`], [0, ""]);
    assertMatch(text!, /ok \| \d+ passed \(\d{2,} steps\)/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
