// In its own file, as timers of one test may fire during another.
import { PGlite } from "@electric-sql/pglite";
import { PostgresKvStore } from "../../kv/postgres.ts";
import { conformance } from "../../testing/mod.ts";

const db = await PGlite.create();

conformance({
  name: "PostgresKvStore on PGlite",
  // The server in PGlite sets its own timers.
  test: (name, fn) =>
    Deno.test({ name, fn, sanitizeOps: false, sanitizeResources: false }),
  open() {
    const tableName = crypto.randomUUID();
    return {
      store: new PostgresKvStore(db, { tableName }),
      peer: () => new PostgresKvStore(db, { tableName }),
    };
  },
});
