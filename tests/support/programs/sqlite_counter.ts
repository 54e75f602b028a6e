// Adds one to a counter as often as asked, by compare-and-swap, against others
// that do the same: `sqlite_counter.ts FILE TIMES`.
import { DatabaseSync } from "node:sqlite";
import { SqliteKvStore } from "../../../kv/sqlite.ts";
import { increment } from "./increment.ts";

const [file, times] = Deno.args as [string, string];
const db = new DatabaseSync(file);
await increment(new SqliteKvStore(db, { busyTimeout: 60_000 }), Number(times));
db.close();
