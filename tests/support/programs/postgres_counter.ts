// Adds one to a counter as often as asked, by compare-and-swap, against others
// that do the same: `postgres_counter.ts URL TABLE TIMES`.
import postgres from "postgres";
import { PostgresKvStore } from "../../../kv/postgres.ts";
import { increment } from "./increment.ts";

const [url, tableName, times] = Deno.args as [string, string, string];
const sql = postgres(url, { max: 2, fetch_types: false });
await increment(new PostgresKvStore(sql, { tableName }), Number(times));
await sql.end();
