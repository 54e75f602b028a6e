/** What the npm package holds, and that it works in Node and Bun. */

import { assert, assertEquals } from "@std/assert";
import { run } from "../../servers/run.ts";
import { buildPackage } from "../../tools/npm.ts";
import { installPackages } from "../support/packages.ts";

const cpu = Deno.build.arch === "x86_64" ? "x64" : "arm64";
const NODE = `node-${Deno.build.os}-${cpu}`;
const BUN = `@oven/bun-${Deno.build.os}-${cpu === "x64" ? "x64" : "aarch64"}`;

/** The ten lines of the README, in Node's and Bun's own SQLite. */
const PROGRAM = `
import { openKv } from "@org/kv/open";
const kv = await openKv("sqlite:" + process.argv[2]);
await kv.set(["users", "alice"], { born: new Date(5), n: 10n });
const found = await kv.get(["users", "alice"]);
const won = await kv.cas(["locks"], undefined, "me", { ttl: 60_000 });
const keys = [];
for await (const { key } of kv.list(["users"])) keys.push(key);
await kv[Symbol.asyncDispose]();
console.log(JSON.stringify({
  born: found.born.getTime(),
  n: String(found.n), won, keys,
}));
`;

Deno.test("the npm package is complete, small, and works in Node 22 and Bun", async (t) => {
  const folder = await Deno.makeTempDir({ prefix: "kv-package-" });
  try {
    const tarball = await buildPackage(folder);
    const root = `${folder}/node_modules/@org/kv`;

    await t.step("it is within 160 KiB and holds no local path", async () => {
      const { size } = await Deno.stat(tarball);
      assert(size <= 160 * 1024, `${size} bytes`);
      await Deno.mkdir(`${folder}/unpacked`);
      const { ok } = await run([
        "tar",
        "-xzf",
        tarball,
        "-C",
        `${folder}/unpacked`,
      ]);
      assert(ok);
      const here = new URL("../../", import.meta.url).pathname;
      for await (const [path, text] of filesIn(`${folder}/unpacked`)) {
        assert(!text.includes(here) && !text.includes("file:///"), path);
      }
    });

    await t.step("its metadata is complete", async () => {
      const metadata = JSON.parse(
        await Deno.readTextFile(`${folder}/unpacked/package/package.json`),
      );
      for (
        const name of [
          "description",
          "keywords",
          "repository",
          "license",
          "author",
          "homepage",
          "bugs",
          "engines",
          "sideEffects",
          "bin",
          "peerDependenciesMeta",
        ]
      ) assert(name in metadata, name);
      assertEquals(metadata.engines, { node: ">=22" });
      assert(!("ioredis" in metadata.dependencies));
      for (
        const target of Object.values<{ default: string } | string>(
          metadata.exports,
        )
      ) {
        const file = typeof target === "string" ? target : target.default;
        await Deno.stat(`${folder}/unpacked/package/${file}`);
      }
      await installPackages(folder, "npm-package", {
        ...metadata.dependencies,
        [NODE]: "22.23.3",
        [BUN]: "1.4.5",
      });
      await Deno.mkdir(`${folder}/node_modules/@org`, { recursive: true });
      await Deno.rename(`${folder}/unpacked/package`, root);
    });

    await Deno.writeTextFile(`${folder}/program.mjs`, PROGRAM);
    for (
      const [name, program] of [
        ["Node 22", `${folder}/node_modules/${NODE}/bin/node`],
        ["Bun", `${folder}/node_modules/${BUN}/bin/bun`],
      ] as const
    ) {
      await t.step(`the lines of the README run in ${name}`, async () => {
        const { ok, stdout, stderr } = await run(
          [program, `${folder}/program.mjs`, `${folder}/${name}.db`],
          { cwd: folder, timeout: 300_000 },
        );
        assert(ok, stderr);
        assertEquals(JSON.parse(stdout), {
          born: 5,
          n: "10",
          won: true,
          keys: [["users", "alice"]],
        });
      });

      await t.step(`the command kv works in ${name}`, async () => {
        const { ok, stdout, stderr } = await run([
          program,
          `${root}/cli/bin.js`,
          "count",
          "--store",
          `sqlite:${folder}/${name}.db`,
        ], { cwd: folder });
        assert(ok, stderr);
        assertEquals(stdout, "2\n");
      });
    }

    await t.step("require() works in Node 22", async () => {
      const { ok, stdout, stderr } = await run([
        `${folder}/node_modules/${NODE}/bin/node`,
        "-e",
        'console.log(typeof require("@org/kv").MemoryKvStore)',
      ], { cwd: folder });
      assert(ok, stderr);
      assertEquals(stdout, "function\n");
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

async function* filesIn(folder: string): AsyncGenerator<[string, string]> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    if (isDirectory) yield* filesIn(path);
    else yield [path, await Deno.readTextFile(path)];
  }
}
