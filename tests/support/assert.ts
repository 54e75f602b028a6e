/**
 * The typed face of the assertions used by tests and examples. With JSR at
 * hand, `"@std/assert": "jsr:@std/assert@1"` in `deno.json` replaces this file.
 *
 * @module
 */
// @ts-types="./assert.d.ts"
export * from "npm:deno-std@1.4.0/assert/mod.js";
