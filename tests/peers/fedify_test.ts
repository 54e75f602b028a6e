// Fedify's own tests, as npm ships them, with our stores as its MemoryKvStore.
import { assertEquals, assertMatch } from "@std/assert";
import { fileURLToPath, pathToFileURL } from "node:url";
import config from "../../deno.json" with { type: "json" };

/** The tests that use a store and need none of Fedify's unpublished fixtures. */
const files = [
  "federation/kv.test.mjs",
  "federation/keycache.test.mjs",
  "federation/builder.test.mjs",
  "federation/circuit-breaker.test.mjs",
  "compat/transformers.test.mjs",
  "nodeinfo/handler.test.mjs",
  "otel/exporter.test.mjs",
];

const root = new URL("../../", import.meta.url);

const stores = {
  memory: `export { MemoryKvStore as t } from "${new URL("mod.ts", root)}";`,
  SQLite: `
    import { DatabaseSync } from "node:sqlite";
    import { SqliteKvStore } from "${new URL("kv/sqlite.ts", root)}";
    export class t extends SqliteKvStore {
      constructor() {
        super(new DatabaseSync(":memory:"));
      }
    }`,
};

for (const [name, store] of Object.entries(stores)) {
  Deno.test(`Fedify's own tests pass with the ${name} store as its MemoryKvStore`, async () => {
    const folder = await Deno.makeTempDir();
    try {
      const dist = `${folder}/dist`;
      const fedify = new URL(".", import.meta.resolve("@fedify/fedify"));
      await copyFolder(fileURLToPath(fedify), dist);
      let replaced = 0;
      for await (const { name } of Deno.readDir(dist)) {
        if (!/^kv-.*\.mjs$/.test(name)) continue;
        // The module that all of these tests import the store from.
        const path = `${dist}/${name}`;
        const exports = "export { MemoryKvStore as t };";
        if (!(await Deno.readTextFile(path)).includes(exports)) continue;
        await Deno.writeTextFile(path, store);
        replaced++;
      }
      assertEquals(replaced, 1);
      await Deno.writeTextFile(`${folder}/fixture.mjs`, fixture);
      await Deno.writeTextFile(
        `${folder}/deno.json`,
        JSON.stringify({
          imports: await importsOf(new URL("../package.json", fedify), folder),
          unstable: ["kv"],
        }),
      );
      const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
        args: [
          ...["test", "--allow-all", "--no-check", "--no-lock", "--quiet"],
          `--config=${folder}/deno.json`,
          ...files.map((file) => `${dist}/${file}`),
        ],
        cwd: folder,
        env: { NO_COLOR: "1" },
      }).output();
      const [text, errors] = [stdout, stderr].map((each) =>
        new TextDecoder().decode(each)
      );
      assertEquals([code, code === 0 ? "" : `${text}\n${errors}`], [0, ""]);
      assertMatch(text!, /ok \| \d{2,} passed/);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

/** What the tests import from Fedify's fixtures. */
const fixture = `
export function test(...args) {
  const fn = args.at(-1);
  const options = typeof args[0] === "string" ? { name: args[0] } : args[0];
  Deno.test({ ...options, sanitizeOps: false, sanitizeResources: false, fn });
}`;

/** The import map: ours, the dependencies of Fedify, and Fedify itself. */
async function importsOf(
  packageJson: URL,
  folder: string,
): Promise<Record<string, string>> {
  const { dependencies } = JSON.parse(await Deno.readTextFile(packageJson));
  const local = Object.entries(config.imports).map(([name, target]) => [
    name,
    target.startsWith(".") ? new URL(target, root).href : target,
  ]);
  return {
    ...Object.fromEntries(local),
    ...Object.fromEntries(
      Object.entries(dependencies).map(([name, range]) => [
        name,
        config.imports[name as keyof typeof config.imports] ??
          `npm:${name}@${range}`,
      ]),
    ),
    "@fedify/fedify": pathToFileURL(`${folder}/dist/mod.js`).href,
    "@fedify/fixture": pathToFileURL(`${folder}/fixture.mjs`).href,
  };
}

async function copyFolder(from: string, to: string): Promise<void> {
  await Deno.mkdir(to);
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    const [source, target] = [`${from}/${name}`, `${to}/${name}`];
    if (isDirectory) await copyFolder(source, target);
    else await Deno.copyFile(source, target);
  }
}
