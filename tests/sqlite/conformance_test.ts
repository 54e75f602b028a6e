// The contract, and the situations of SQLite alone, with the clients of Deno.
import * as nodeModule from "node:sqlite";
import { tmpdir } from "node:os";
import Libsql from "libsql";
import { SqliteKvStore } from "../../kv/sqlite.ts";
import { conformance } from "../../testing/mod.ts";
import { libsql, likeDbSqlite, nodeSqlite } from "./clients/client.ts";
import * as dbSqlite from "@db/sqlite";
import { proofs, situationsWith } from "./clients/proofs.ts";
import { DatabaseFile } from "./databases.ts";

conformance({
  name: "SqliteKvStore in memory",
  open() {
    const db = new nodeModule.DatabaseSync(":memory:");
    return { store: new SqliteKvStore(db), close: () => db.close() };
  },
});

conformance({
  name: "SqliteKvStore on a file",
  open() {
    const file = new DatabaseFile();
    return {
      store: new SqliteKvStore(file.connect()),
      peer: () => new SqliteKvStore(file.connect()),
      close: () => file[Symbol.dispose](),
    };
  },
});

for (
  const { name, run } of [
    ...situationsWith(nodeSqlite(nodeModule), tmpdir()),
    // deno-lint-ignore no-explicit-any
    ...proofs(libsql({ default: Libsql as any }), tmpdir()),
    ...proofs(likeDbSqlite(dbSqlite), tmpdir()),
  ]
) {
  Deno.test(`SqliteKvStore with ${name}`, run);
}
