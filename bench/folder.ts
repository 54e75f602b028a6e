/**
 * A temporary folder.
 *
 * @module
 */

/** Ends the process so that it cleans up. */
function exit(): void {
  Deno.exit(1);
}

/** Makes a folder that is removed at the latest when the process is ended. */
export function makeFolder(): { path: string; remove(): void } {
  const path = Deno.makeTempDirSync({ prefix: "kv-bench-" });
  function remove() {
    removeEventListener("unload", remove);
    Deno.removeSync(path, { recursive: true });
  }
  addEventListener("unload", remove);
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, exit);
  }
  return { path, remove };
}
