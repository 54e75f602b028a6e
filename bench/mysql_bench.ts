// MySQL for `deno bench`.
import { mysqlBackend } from "./backends/mysql.ts";
import { benchBackend } from "./suite.ts";

await benchBackend(mysqlBackend);
