/**
 * Runs `program.ts` on Deno, Node and Bun, with the package as it is published.
 *
 * @module
 */
import { buildPackage } from "../../tools/npm.ts";
import { run } from "../../servers/run.ts";
import { installPackages } from "../../tests/support/packages.ts";
import { versionOf } from "../backend.ts";

const cpu = Deno.build.arch === "x86_64" ? "x64" : "arm64";
const NODE = `node-${Deno.build.os}-${cpu}`;
const BUN = `@oven/bun-${Deno.build.os}-${cpu === "x64" ? "x64" : "aarch64"}`;

/** The command for a program on each runtime. */
export type Runtimes = Readonly<Record<string, readonly string[]>>;

/** Installs the package, its clients, Node and Bun into a folder. */
export async function installRuntimes(folder: string): Promise<Runtimes> {
  const tarball = await buildPackage(folder);
  const unpacked = `${folder}/unpacked`;
  await Deno.mkdir(unpacked);
  const { ok, stderr } = await run(["tar", "-xzf", tarball, "-C", unpacked]);
  if (!ok) throw new Error(stderr);
  const metadata = JSON.parse(
    await Deno.readTextFile(`${unpacked}/package/package.json`),
  );
  await installPackages(folder, "bench-blocks", {
    ...metadata.dependencies,
    ioredis: versionOf("ioredis"),
    postgres: versionOf("postgres"),
    [NODE]: "22.23.3",
    [BUN]: "1.4.5",
  });
  const modules = `${folder}/node_modules`;
  await Deno.mkdir(`${modules}/@org`, { recursive: true });
  await Deno.rename(`${unpacked}/package`, `${modules}/@org/kv`);
  const program = `${folder}/program.ts`;
  await Deno.copyFile(
    new URL("program.ts", import.meta.url).pathname,
    program,
  );
  return {
    Deno: [
      ...[Deno.execPath(), "run", "--allow-all", "--no-check"],
      ...["--node-modules-dir=manual", "--no-lock", program],
    ],
    Node: [`${modules}/${NODE}/bin/node`, program],
    Bun: [`${modules}/${BUN}/bin/bun`, program],
  };
}
