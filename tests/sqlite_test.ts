import { DatabaseSync } from "node:sqlite";
import { SqliteKvStore } from "../kv/sqlite.ts";
import { conformance } from "../testing/mod.ts";

conformance({
  name: "SqliteKvStore in memory",
  open() {
    const db = new DatabaseSync(":memory:");
    return { store: new SqliteKvStore(db), close: () => db.close() };
  },
});

conformance({
  name: "SqliteKvStore on a file",
  open() {
    const folder = Deno.makeTempDirSync();
    const connect = () => {
      const db = new DatabaseSync(`${folder}/kv.db`);
      db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
      return db;
    };
    const [db, other] = [connect(), connect()];
    return {
      store: new SqliteKvStore(db),
      peer: () => new SqliteKvStore(other),
      close() {
        db.close();
        other.close();
        Deno.removeSync(folder, { recursive: true });
      },
    };
  },
});
