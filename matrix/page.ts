/** Writes the page that shows what the matrix found. */

/** A row of a table. */
export interface Row {
  readonly name: string;
  readonly cells: readonly string[];
}

/** The page. */
export function page(
  runtimes: readonly string[],
  rows: readonly Row[],
  types: readonly Row[],
): string {
  return `# Runtimes and clients

The npm package is packed, installed in a fresh folder, and tested in each
runtime on each client: \`deno task matrix\` writes this page. A number is how
many cases of the conformance suite pass there; no case fails. Guarantees that a
store leaves out, and says so in its \`traits\`, are not counted.

${table(["client", ...runtimes], rows)}
"first steps": in a folder with only this runtime, the package is installed from
its file, and runs the first lines of the README and a Fedify server on SQLite.

Deno runs the same suite on more clients in its own tests: \`@db/sqlite\`, PGlite,
mysql2, all versions of ioredis and node-redis on Redis and Redis Cluster, Workers
KV and Durable Objects.

## Types

\`tsc --strict\` compiles an import of every entry point, without DOM, Temporal
and \`@types/node\`, with \`es2022\` and \`esnext\`, with the resolutions \`node16\`
and \`bundler\`, and with \`exactOptionalPropertyTypes\` on and off.
(\`@org/kv/durable-object\` needs the types of Cloudflare.)

${table(["TypeScript", "compiles"], types)}`;
}

function table(head: readonly string[], rows: readonly Row[]): string {
  const lines = [head, ...rows.map(({ name, cells }) => [name, ...cells])];
  const widths = head.map((_, i) =>
    Math.max(...lines.map((line) => line[i]!.length))
  );
  const text = ([first, ...others]: readonly string[]) =>
    `| ${
      [
        first!.padEnd(widths[0]!),
        ...others.map((cell, i) => cell.padStart(widths[i + 1]!)),
      ].join(" | ")
    } |\n`;
  const rule = `| ${
    widths.map((width, i) =>
      i === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`
    ).join(" | ")
  } |\n`;
  return text(head) + rule + lines.slice(1).map(text).join("");
}
