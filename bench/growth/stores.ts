/**
 * Our store on each backend, alone.
 *
 * @module
 */
import type { Backend, OpenBackend } from "../backend.ts";
import { OURS } from "../backend.ts";
import { memory } from "../backends/memory.ts";
import { deno } from "../backends/deno.ts";
import { mysqlBackend } from "../backends/mysql.ts";
import { postgresBackend } from "../backends/postgres.ts";
import { redis } from "../backends/redis.ts";
import { sqlite } from "../backends/sqlite.ts";
import type { Subject } from "../subject.ts";

/** The backends whose growth is measured. */
export const growing: readonly Backend[] = [
  memory,
  sqlite,
  deno,
  redis,
  postgresBackend,
  mysqlBackend,
];

/** Opens a backend for as long as an action takes, with our store on it. */
export async function withStore<T>(
  backend: Backend,
  action: (subject: Subject, open: OpenBackend) => Promise<T>,
): Promise<T> {
  const open = await backend.open();
  try {
    return await action(
      open.subjects.find(({ name }) => name === OURS)!,
      open,
    );
  } finally {
    await open.close();
  }
}
