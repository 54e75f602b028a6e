// What runs in Node and Bun, as one file:
//
//   sqlite_client.mjs CLIENT prove FOLDER       a line of JSON for each proof
//   sqlite_client.mjs CLIENT count FILE TIMES   as sqlite_counter.ts does
import process from "node:process";
import { SqliteKvStore } from "../../../kv/sqlite.ts";
import {
  betterSqlite3,
  bunSqlite,
  nodeSqlite,
  type SqliteClient,
} from "../../sqlite/clients/client.ts";
import { proofs } from "../../sqlite/clients/proofs.ts";
import { increment } from "./increment.ts";

const [name, task, path, times] = process.argv.slice(2) as [
  "node:sqlite" | "better-sqlite3" | "bun:sqlite",
  "prove" | "count",
  string,
  string,
];

const makers = {
  "node:sqlite": nodeSqlite,
  "better-sqlite3": betterSqlite3,
  "bun:sqlite": bunSqlite,
  // deno-lint-ignore no-explicit-any
} satisfies Record<string, (module: any) => SqliteClient>;

// A name that is not literal is left to the runtime.
const client = makers[name](await import(name as string));

if (task === "prove") {
  for (const { name, run } of proofs(client, path)) {
    let error: string | undefined;
    try {
      await run();
    } catch (thrown) {
      error = (thrown as Error).stack ?? String(thrown);
    }
    console.log(JSON.stringify({ name, error }));
  }
} else {
  const db = client.open(path);
  await increment(
    new SqliteKvStore(db, { busyTimeout: 60_000 }),
    Number(times),
  );
  db.close();
}
