/**
 * The command line: `kv`.
 *
 * @module
 */

import { main } from "./main.ts";

if (import.meta.main) {
  const { default: process } = await import("node:process");
  process.exitCode = await main(process.argv.slice(2));
}
