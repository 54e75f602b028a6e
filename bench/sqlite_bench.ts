// SQLite for `deno bench`.
import { sqlite, sqliteFull } from "./backends/sqlite.ts";
import { benchBackend } from "./suite.ts";

await benchBackend(sqlite);
await benchBackend(sqliteFull);
