/**
 * Runs the conformance suite from the packed package in every runtime and on
 * every client, and writes `docs/runtimes.md`: `deno task matrix [part of a cell…]`.
 */

import { sharedUrl, unavailable } from "../servers/mod.ts";
import { run } from "../servers/run.ts";
import { buildPackage } from "../tools/npm.ts";
import { installPackages } from "../tests/support/packages.ts";
import { checkTypes, COMPILERS } from "./types.ts";
import { page, type Row } from "./page.ts";

const MINUTE = 60_000;
const HERE = new URL(".", import.meta.url).pathname;
const ARM = Deno.build.arch !== "x86_64";
const OS = Deno.build.os;
const NODE = `node-${OS}-${ARM ? "arm64" : "x64"}`;
const BUN = `@oven/bun-${OS}-${ARM ? "aarch64" : "x64"}`;

/** The runtimes: their programs by their names and versions. */
const RUNTIMES: Readonly<Record<string, [name: string, version: string]>> = {
  "Node 22": [NODE, "22.23.3"],
  "Node 24": [NODE, "24.9.0"],
  "Node 26": [NODE, "26.9.0"],
  "Bun 1.4": [BUN, "1.4.5"],
};

/** What the clients need of npm. */
const PACKAGES = {
  "@deno/kv": "0.14.0",
  "@fedify/fedify": "2.3.6",
  "@fedify/vocab": "2.3.6",
  "better-sqlite3": "13.2.0",
  "ioredis": "5.11.0",
  "libsql": "0.5.29",
  "pg": "8.23.1",
  "postgres": "3.4.9",
  "redis": "6.3.1",
};

/** What each client runs on, and the runtimes that have it. */
const CLIENTS: Readonly<
  Record<string, { server?: "redis" | "postgres"; only?: "Node" | "Bun" }>
> = {
  "memory": {},
  "node:sqlite": { only: "Node" },
  "better-sqlite3": { only: "Node" },
  "libsql": {},
  "bun:sqlite": { only: "Bun" },
  "@deno/kv": { only: "Node" },
  "ioredis": { server: "redis" },
  "node-redis": { server: "redis" },
  "postgres.js": { server: "postgres" },
  "pg": { server: "postgres" },
  "Bun.SQL": { server: "postgres", only: "Bun" },
};

const wanted = Deno.args;
const folder = await Deno.makeTempDir({ prefix: "kv-matrix-" });
let isFine = true;
try {
  const tarball = await buildPackage(folder);
  await install(tarball);
  const rows: Row[] = [];
  for (const client of Object.keys(CLIENTS)) {
    const cells: string[] = [];
    for (const runtime of Object.keys(RUNTIMES)) {
      cells.push(await cell(client, runtime));
    }
    rows.push({ name: client, cells });
  }
  const first: string[] = [];
  for (const runtime of Object.keys(RUNTIMES)) {
    first.push(await firstSteps(runtime, tarball));
  }
  rows.push({ name: "first steps", cells: first });
  const types: Row[] = [];
  for (const version of COMPILERS) {
    if (!isWanted(`TypeScript ${version}`)) continue;
    const faults = await checkTypes(folder, version);
    report(`TypeScript ${version}`, faults);
    types.push({ name: version, cells: [faults.length === 0 ? "✓" : "✗"] });
  }
  if (wanted.length === 0 && isFine) {
    await Deno.writeTextFile(
      `${HERE}../docs/runtimes.md`,
      page(Object.keys(RUNTIMES), rows, types),
    );
  }
} finally {
  await Deno.remove(folder, { recursive: true });
}
Deno.exit(isFine ? 0 : 1);

function isWanted(name: string): boolean {
  return wanted.length === 0 || wanted.some((part) => name.includes(part));
}

function report(name: string, faults: readonly string[]): void {
  console.log(`${name}: ${faults.length === 0 ? "ok" : "FAILED"}`);
  for (const fault of faults) console.log(`  ${fault}`);
  if (faults.length > 0) isFine = false;
}

/** Installs the package, the clients, the runtimes and the compilers. */
async function install(tarball: string): Promise<void> {
  await check(["tar", "-xzf", tarball, "-C", folder]);
  const { dependencies } = JSON.parse(
    await Deno.readTextFile(`${folder}/package/package.json`),
  );
  const runtimes = Object.entries(RUNTIMES).map(([runtime, [name, version]]) =>
    [aliasOf(runtime), `npm:${name}@${version}`] as const
  );
  await installPackages(folder, "matrix", {
    ...dependencies,
    ...PACKAGES,
    ...Object.fromEntries(runtimes),
    ...Object.fromEntries(
      COMPILERS.map((version) => [
        `typescript-${version}`,
        `npm:typescript@${version}`,
      ]),
    ),
  });
  await Deno.mkdir(`${folder}/node_modules/@org`, { recursive: true });
  await Deno.rename(`${folder}/package`, `${folder}/node_modules/@org/kv`);
  for (const name of ["clients", "conformance", "first_steps"]) {
    await Deno.copyFile(`${HERE}${name}.js`, `${folder}/${name}.js`);
  }
  await Deno.writeTextFile(
    `${folder}/package.json`,
    JSON.stringify({ type: "module" }),
  );
}

function aliasOf(runtime: string): string {
  return runtime.toLowerCase().replace(" ", "-");
}

function programOf(runtime: string): string {
  const bin = runtime.startsWith("Bun") ? "bun" : "node";
  return `${folder}/node_modules/${aliasOf(runtime)}/bin/${bin}`;
}

async function check(command: [string, ...string[]]): Promise<void> {
  const { ok, stderr } = await run(command, { timeout: 10 * MINUTE });
  if (!ok) throw new Error(`${command.join(" ")} failed: ${stderr}`);
}

/** Runs the suite on a client in a runtime. */
async function cell(client: string, runtime: string): Promise<string> {
  const { server, only = "" } = CLIENTS[client]!;
  const name = `${client} in ${runtime}`;
  if (!runtime.startsWith(only) || !isWanted(name)) return "–";
  const args: string[] = [];
  if (server !== undefined) {
    const reason = await unavailable(server);
    if (reason !== undefined) return `– (${reason})`;
    args.push(await sharedUrl(server));
  }
  const { stdout, stderr } = await run(
    [programOf(runtime), "conformance.js", client, ...args],
    { cwd: folder, timeout: 15 * MINUTE },
  );
  const line = stdout.trim().split("\n").at(-1) ?? "";
  if (!line.startsWith("{")) {
    report(name, [stderr.slice(-2_000)]);
    return "✗";
  }
  const { passed, leftOut, failed } = JSON.parse(line);
  report(`${name} (${passed} passed, ${leftOut} left out)`, failed);
  return failed.length === 0 ? `${passed}` : `✗ ${failed.length} of ${passed}`;
}

/** Installs the package as a user does, in a folder with only one runtime. */
async function firstSteps(runtime: string, tarball: string): Promise<string> {
  const name = `first steps in ${runtime}`;
  if (!isWanted(name)) return "–";
  const fresh = await Deno.makeTempDir({ prefix: "kv-first-steps-" });
  try {
    // No other version of the vocabulary goes with this one of Fedify.
    const { "@fedify/fedify": fedify, "@fedify/vocab": vocab } = PACKAGES;
    await Deno.writeTextFile(
      `${fresh}/package.json`,
      JSON.stringify({
        type: "module",
        dependencies: { "@fedify/fedify": fedify, "@fedify/vocab": vocab },
        overrides: { "@fedify/vocab": vocab },
      }),
    );
    await Deno.copyFile(`${HERE}first_steps.js`, `${fresh}/first_steps.js`);
    const program = programOf(runtime);
    const manager = runtime.startsWith("Bun")
      ? [program, "add", tarball]
      : [program, await npm(), "install", "--no-audit", "--no-fund", tarball];
    const bin = program.slice(0, program.lastIndexOf("/"));
    const env = { PATH: `${bin}:/usr/bin:/bin` };
    for (const command of [manager, [program, "first_steps.js"]]) {
      const { ok, stdout, stderr } = await run(
        command as [string, ...string[]],
        { cwd: fresh, env, timeout: 10 * MINUTE },
      );
      if (ok) continue;
      report(name, [`${command.join(" ")}: ${stdout}${stderr}`.slice(-3_000)]);
      return "✗";
    }
    report(name, []);
    return "✓";
  } finally {
    await Deno.remove(fresh, { recursive: true });
  }
}

/** The npm that comes with the Node that runs this. */
async function npm(): Promise<string> {
  const { stdout } = await run(["npm", "root", "--global"]);
  return `${stdout.trim()}/npm/bin/npm-cli.js`;
}
