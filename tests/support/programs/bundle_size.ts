/**
 * Prints what a worker pays for a store, minified, and compressed as the
 * platform counts it.
 *
 * @module
 */

import { bundle } from "../worker/bundle.ts";

const ENTRIES = {
  "@org/kv/workers": "kv/workers.ts",
  "@org/kv/durable-object": "kv/durable_object.ts",
};

for (const [name, entry] of Object.entries(ENTRIES)) {
  const code = new TextEncoder().encode(await bundle(entry, { minify: true }));
  const compressed = new Blob([code]).stream()
    .pipeThrough(new CompressionStream("gzip"));
  const { byteLength } = await new Response(compressed).arrayBuffer();
  console.log(
    `${name}: ${kilobytes(code.length)} minified, ` +
      `${kilobytes(byteLength)} compressed`,
  );
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1024).toFixed(1)} KiB`;
}
