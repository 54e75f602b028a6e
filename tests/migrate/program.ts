// Migrates until it has read some pages, and then blocks, to be killed.
import { DatabaseSync } from "node:sqlite";
import { fedifySqlite, migrate } from "../../migrate/mod.ts";
import { SqliteKvStore } from "../../kv/sqlite.ts";

const [pages, from, to, after] = Deno.args;
const target = new DatabaseSync(to!);
target.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
let read = 0;
await migrate(
  fedifySqlite(new DatabaseSync(from!, { readOnly: true })),
  new SqliteKvStore(target),
  {
    ...after === "" ? {} : { after },
    onCheckpoint: (cursor) => console.log("cursor", JSON.stringify(cursor)),
    onProgress() {
      if (++read < Number(pages)) return;
      console.log("ready");
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    },
  },
);
