// Adds one to a counter a number of times by compare-and-swap, against others
// that do the same: `mysql_counter.ts URL TABLE TIMES`.
import { createPool } from "mysql2";
import { MysqlKvStore } from "../../../kv/mysql.ts";
import { increment } from "./increment.ts";

const [url, tableName, times] = Deno.args as [string, string, string];
const pool = createPool({ uri: url, connectionLimit: 2 });
await increment(new MysqlKvStore(pool, { tableName }), Number(times));
await pool.promise().end();
