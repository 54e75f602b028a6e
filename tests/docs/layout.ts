// Checks the layout rules of CONTRIBUTING.md: `deno run -A tests/docs/layout.ts`.

const ROOT = new URL("../../", import.meta.url).pathname;
const MAX_BYTES = 12_000;
const MAX_LINES = 200;

/** Files in `kv/` that are not the class of a driver. */
const NO_DRIVERS = [
  "kv/driver.ts",
  "kv/errors.ts",
  "kv/store.ts",
  "kv/traits.ts",
];

/** Folders at the root without sources of the project. */
const NO_SOURCES = ["docs", "node_modules", "site"];

/** Faults that are known and about to be fixed: `"rule: path"`. */
const ALLOWED: readonly string[] = [];

/** A source file: its path from the root, and its text. */
export interface Source {
  readonly path: string;
  readonly text: string;
}

/** Returns a line for each fault in the layout of the sources. */
export function faultsOf(sources: readonly Source[]): string[] {
  return sources.flatMap(({ path, text }) => [
    ...sizeFaults(path, text),
    ...headerFaults(path, text),
  ]);
}

function sizeFaults(path: string, text: string): string[] {
  const faults: string[] = [];
  const bytes = new TextEncoder().encode(text).length;
  if (/^(kv|testing)\//.test(path) && bytes > MAX_BYTES) {
    faults.push(`size: ${path}: ${bytes} bytes, over ${MAX_BYTES}`);
  }
  const lines = text.split("\n").length - 1;
  const isDriver = /^kv\/[^/]+$/.test(path) && !NO_DRIVERS.includes(path);
  if (isDriver && lines > MAX_LINES) {
    faults.push(`lines: ${path}: ${lines} lines, over ${MAX_LINES}`);
  }
  return faults;
}

function headerFaults(path: string, text: string): string[] {
  const block = /^\/\*\*[\s\S]*?\*\//.exec(text)?.[0];
  const isHeader = block === undefined
    ? /^\/\/ (?!deno-|@ts-)\S/.test(text)
    // Otherwise the comment belongs to the symbol that follows it.
    : block.includes("@module") ||
      /^\n(\n|import |\/)/.test(text.slice(block.length));
  if (isHeader) return [];
  return [`header: ${path}: the first line does not say what the file is`];
}

/** The imports of each module: its path, and the paths that it imports. */
export type Imports = ReadonlyMap<string, readonly string[]>;

/** Returns a line for each circle of imports, type imports included. */
export function circlesOf(imports: Imports): string[] {
  const circles: string[] = [];
  const done = new Set<string>();
  const path: string[] = [];
  function visit(module: string): void {
    const start = path.indexOf(module);
    if (start >= 0) {
      const circle = [...path.slice(start), module];
      circles.push(`circle: ${circle.join(" -> ")}`);
      return;
    }
    if (done.has(module)) return;
    path.push(module);
    for (const imported of imports.get(module) ?? []) visit(imported);
    path.pop();
    done.add(module);
  }
  for (const module of imports.keys()) visit(module);
  return circles;
}

/** The sources of the project. */
export async function readSources(root: string = ROOT): Promise<Source[]> {
  const sources: Source[] = [];
  async function read(folder: string): Promise<void> {
    for await (const entry of Deno.readDir(`${root}${folder}`)) {
      const path = `${folder}${entry.name}`;
      if (entry.isDirectory) {
        if (!path.startsWith(".") && !NO_SOURCES.includes(path)) {
          await read(`${path}/`);
        }
      } else if (path.endsWith(".ts")) {
        sources.push({ path, text: await Deno.readTextFile(`${root}${path}`) });
      }
    }
  }
  await read("");
  return sources.sort((a, b) => a.path < b.path ? -1 : 1);
}

interface Graph {
  modules: {
    specifier: string;
    dependencies?: {
      code?: { specifier?: string };
      type?: { specifier?: string };
    }[];
  }[];
}

/** The imports among the sources, as Deno resolves them. */
export async function readImports(
  sources: readonly Source[],
  root: string = ROOT,
): Promise<Imports> {
  const entry = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(
      entry,
      sources.map(({ path }) => `import "file://${root}${path}";\n`).join(""),
    );
    const { success, stdout, stderr } = await new Deno.Command(
      Deno.execPath(),
      {
        args: ["info", "--json", "--no-lock", `--config=${ROOT}deno.json`]
          .concat(entry),
      },
    ).output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
    const graph = JSON.parse(new TextDecoder().decode(stdout)) as Graph;
    const prefix = `file://${root}`;
    return new Map(
      graph.modules.filter(({ specifier }) => specifier.startsWith(prefix))
        .map(({ specifier, dependencies = [] }) => [
          specifier.slice(prefix.length),
          dependencies.flatMap(({ code, type }) => [
            code?.specifier,
            type?.specifier,
          ]).filter((it) => it?.startsWith(prefix))
            .map((it) => it!.slice(prefix.length)),
        ]),
    );
  } finally {
    await Deno.remove(entry);
  }
}

if (import.meta.main) {
  const sources = await readSources();
  const faults = [
    ...faultsOf(sources),
    ...circlesOf(await readImports(sources)),
  ].filter((fault) => !ALLOWED.some((it) => fault.startsWith(it)));
  for (const fault of faults) console.error(fault);
  if (faults.length > 0) Deno.exit(1);
  console.log(`Checked the layout of ${sources.length} files`);
}
