/**
 * Runs the benches of the named backends, or all: `run.ts [backend…]`.
 *
 * @module
 */
import { parseArgs } from "node:util";

const folder = new URL(".", import.meta.url).pathname;
const backends = Array.from(Deno.readDirSync(folder), ({ name }) => name)
  .filter((name) => name.endsWith("_bench.ts"))
  .map((name) => name.slice(0, -"_bench.ts".length))
  .sort();

const usage = `Usage: deno task bench [backend…]

Measures the stores beside the bare clients and the alternatives.

Backends: ${backends.join(", ")}; all by default.`;

const { values, positionals } = parseArgs({
  args: Deno.args,
  options: { help: { type: "boolean", short: "h" } },
  allowPositionals: true,
});
if (values.help) {
  console.log(usage);
  Deno.exit(0);
}
const unknown = positionals.filter((name) => !backends.includes(name));
if (unknown.length > 0) {
  console.error(`Unknown backend: ${unknown.join(", ")}\n\n${usage}`);
  Deno.exit(2);
}

const chosen = positionals.length > 0 ? positionals : backends;
const { code } = await new Deno.Command(Deno.execPath(), {
  args: [
    "bench",
    "--allow-all",
    ...chosen.map((name) => `${folder}${name}_bench.ts`),
  ],
}).spawn().status;
Deno.exit(code);
