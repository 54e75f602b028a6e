/**
 * What the figures were measured on.
 *
 * @module
 */
import os from "node:os";

/** The machine and the runtime, in a line that names nobody. */
export function describeMachine(): string {
  const cpus = os.cpus();
  const memory = Math.round(os.totalmem() / 2 ** 30);
  return [
    `${cpus[0]?.model.trim() ?? "unknown CPU"}, ${cpus.length} cores`,
    `${memory} GiB`,
    `${Deno.build.os} ${Deno.osRelease()}, ${Deno.build.arch}`,
    `Deno ${Deno.version.deno} (V8 ${Deno.version.v8})`,
  ].join("; ");
}
