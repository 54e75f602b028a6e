/**
 * Builds the npm package from the same sources as the one on JSR.
 *
 * `deno task npm` writes `org-kv-VERSION.tgz`: what `deno pack` compiles, with
 * complete metadata, the command `kv`, and without the documentation pages,
 * which the README links to in the repository.
 */

import { build, stop } from "esbuild";
import { parseArgs } from "node:util";
import { minify, type MinifyOptions } from "terser";
import config from "../deno.json" with { type: "json" };

const REPOSITORY = "https://github.com/org/kv";

/** The clients that an application may install with the package. */
const CLIENTS = {
  "@deno/kv": ">=0.14.0",
  "@electric-sql/pglite": ">=0.5.0",
  "@opentelemetry/api": "^1.7.0",
  "better-sqlite3": ">=12.0.0",
  "ioredis": ">=5.11.0 <7",
  "keyv": ">=5.0.0",
  "libsql": ">=0.5.29",
  "mysql2": ">=3.24.0 <4",
  "pg": "^8.0.0",
  "postgres": "^3.4.9",
  "redis": "^5.0.0 || ^6.0.0",
  "unstorage": ">=1.17.0",
};

const METADATA = {
  description:
    "One small key-value store with one contract, on every backend: memory, " +
    "SQLite, Deno KV, Redis, PostgreSQL, MySQL, Cloudflare. Fedify's KvStore.",
  keywords: [
    "key-value",
    "kv",
    "store",
    "fedify",
    "activitypub",
    "redis",
    "postgresql",
    "mysql",
    "sqlite",
    "deno",
    "cloudflare",
    "compare-and-swap",
    "ttl",
  ],
  author: "The developers of @org/kv",
  homepage: `${REPOSITORY}#readme`,
  repository: { type: "git", url: `git+${REPOSITORY}.git` },
  bugs: { url: `${REPOSITORY}/issues` },
  engines: { node: ">=22" },
  sideEffects: false,
  bin: { kv: "./cli/bin.js" },
  peerDependencies: CLIENTS,
  peerDependenciesMeta: Object.fromEntries(
    Object.keys(CLIENTS).map((name) => [name, { optional: true }]),
  ),
};

/** Node 22 has no `import.meta.main`, so the command has a file that runs. */
const BIN = `#!/usr/bin/env node
import { main } from "./main.js";
process.exitCode = await main(process.argv.slice(2));
`;

/**
 * Builds the package.
 *
 * @param folder Where to put it.
 * @returns The path of the tarball.
 */
export async function buildPackage(folder: string): Promise<string> {
  await Deno.mkdir(folder, { recursive: true });
  const work = await Deno.makeTempDir({ prefix: "kv-npm-" });
  try {
    const packed = `${work}/packed.tgz`;
    await run([
      Deno.execPath(),
      "pack",
      "--no-source-maps",
      "--allow-dirty",
      "--ignore=docs,CHANGELOG.md,CONTRIBUTING.md,SECURITY.md,deno.json",
      `--output=${packed}`,
    ]);
    await run(["tar", "-xzf", packed, "-C", work]);
    const root = `${work}/package`;
    for (const name of ["docs", "CHANGELOG.md", "CONTRIBUTING.md"]) {
      await Deno.remove(`${root}/${name}`, { recursive: true }).catch(() => {});
    }
    const generated = JSON.parse(
      await Deno.readTextFile(`${root}/package.json`),
    );
    const dependencies = Object.fromEntries(
      Object.entries(generated.dependencies as Record<string, string>)
        .filter(([name]) => !Object.hasOwn(CLIENTS, name)),
    );
    const { exports } = generated;
    // Deno runs this file; in Node and Bun, the command `kv` is `bin`.
    delete exports["./cli"];
    exports["./package.json"] = "./package.json";
    await Deno.writeTextFile(
      `${root}/package.json`,
      JSON.stringify(
        { ...generated, ...METADATA, exports, dependencies },
        null,
        2,
      ) + "\n",
    );
    const targets = Object.values<{ default: string } | string>(exports);
    await compile(
      root,
      targets.flatMap((it) => typeof it === "string" ? [] : [it.default])
        .concat("cli/main.js"),
    );
    await Deno.writeTextFile(`${root}/cli/bin.js`, BIN, { mode: 0o755 });
    const types = await shortenTypes(root);
    const tarball = `${folder}/org-kv-${config.version}.tgz`;
    await run([
      "tar",
      ...["--sort=name", "--owner=0", "--group=0", "--mtime=@0"],
      ...["--use-compress-program=gzip -9", "-cf", tarball, "-C", work],
      // Types and scripts compress better among their like.
      ...types.map((path) => path.slice(work.length + 1)),
      ...types.map((path) => `--exclude=${path.slice(work.length + 1)}`),
      "package",
    ]);
    return tarball;
  } finally {
    await stop();
    await Deno.remove(work, { recursive: true });
  }
}

/**
 * Compiles for Node 22: the modules that the same entry points share become one
 * file. Comments for users are in the types.
 */
async function compile(
  root: string,
  entries: readonly string[],
): Promise<void> {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: entries.map((path) => `${root}/${path}`),
    bundle: true,
    splitting: true,
    packages: "external",
    external: ["cloudflare:workers"],
    format: "esm",
    platform: "node",
    // Node 22 does not know `using`.
    target: "node22",
    chunkNames: "chunks/[hash]",
    outbase: root,
    outdir: root,
    write: false,
  });
  await removeScripts(root);
  await Deno.mkdir(`${root}/chunks`);
  for (const { path, text } of outputFiles) {
    const { code } = await minify(text, MINIFY);
    await Deno.writeTextFile(path, code!);
  }
}

/** Errors and `console.log()` show the names of classes. */
const MINIFY: MinifyOptions = {
  module: true,
  ecma: 2020,
  keep_classnames: true,
  compress: { passes: 2 },
};

/** An example in a comment. The API reference has them all. */
const EXAMPLE = /\n *\*\n *\* @example.*\n *\* ```(?:.*\n)*? *\* ```$/gm;

/** Removes examples from the types, and has them need no library of TypeScript. */
async function shortenTypes(folder: string): Promise<string[]> {
  const paths: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    if (isDirectory) paths.push(...await shortenTypes(path));
    if (!name.endsWith(".d.ts")) continue;
    const text = (await Deno.readTextFile(path)).replace(EXAMPLE, "");
    await Deno.writeTextFile(
      path,
      text.includes("[Symbol.asyncDispose]")
        ? `/// <reference lib="esnext.disposable" />\n${text}`
        : text,
    );
    paths.push(path);
  }
  return paths.sort();
}

async function removeScripts(folder: string): Promise<void> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    if (isDirectory) await removeScripts(path);
    else if (name.endsWith(".js")) await Deno.remove(path);
  }
}

async function run(command: readonly [string, ...string[]]): Promise<void> {
  const [program, ...args] = command;
  const { success, stderr } = await new Deno.Command(program, {
    args,
    cwd: new URL("..", import.meta.url),
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).output();
  if (success) return;
  throw new Error(
    `${command.join(" ")} failed: ${new TextDecoder().decode(stderr)}`,
  );
}

if (import.meta.main) {
  const { values } = parseArgs({
    args: Deno.args,
    options: {
      output: { type: "string", short: "o", default: "." },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) {
    console.log("Usage: deno task npm [--output FOLDER]");
  } else {
    const tarball = await buildPackage(values.output);
    const { size } = await Deno.stat(tarball);
    console.log(`${tarball}: ${(size / 1024).toFixed(0)} KiB`);
  }
}
