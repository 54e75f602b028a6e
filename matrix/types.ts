/** Compiles the types of the package with several versions of TypeScript. */

import { run } from "../servers/run.ts";

/** The versions: the oldest that is supported, the newest, and some between. */
export const COMPILERS = ["5.4.5", "5.5.4", "5.7.3", "5.9.3", "6.0.3", "7.0.2"];

const MODULES = [
  { module: "node16", moduleResolution: "node16" },
  { module: "esnext", moduleResolution: "bundler" },
];

/**
 * Compiles an import of every entry point, strictly, without DOM, Temporal and
 * the types of Node, in all ways to resolve modules.
 *
 * @param folder A folder with the package and the compiler.
 * @param version The version of the compiler.
 * @returns What the compiler says.
 */
export async function checkTypes(
  folder: string,
  version: string,
): Promise<string[]> {
  const { exports } = JSON.parse(
    await Deno.readTextFile(`${folder}/node_modules/@org/kv/package.json`),
  );
  // Durable Objects need the types of Cloudflare, as they extend its class.
  const names = Object.keys(exports).filter((name) =>
    !["./package.json", "./durable-object"].includes(name)
  );
  await Deno.writeTextFile(
    `${folder}/all.ts`,
    names.map((name, i) => `export * as e${i} from "@org/kv${name.slice(1)}";`)
      .join("\n"),
  );
  const faults: string[] = [];
  for (const lib of ["es2022", "esnext"]) {
    for (const modules of MODULES) {
      for (const exactOptionalPropertyTypes of [false, true]) {
        const compilerOptions = {
          strict: true,
          noEmit: true,
          types: [],
          lib: [lib],
          target: "es2022",
          ...modules,
          exactOptionalPropertyTypes,
        };
        await Deno.writeTextFile(
          `${folder}/tsconfig.json`,
          JSON.stringify({ compilerOptions, files: ["all.ts"] }),
        );
        const { ok, stdout, stderr } = await run([
          `${folder}/node_modules/node-22/bin/node`,
          `${folder}/node_modules/typescript-${version}/bin/tsc`,
          "--project",
          folder,
        ], { timeout: 300_000 });
        if (!ok) {
          faults.push(`${JSON.stringify(compilerOptions)}: ${stdout}${stderr}`);
        }
      }
    }
  }
  return faults;
}
