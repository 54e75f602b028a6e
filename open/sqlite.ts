/** Opens `sqlite:path`, with the SQLite of the runtime. */

import type { SqliteDatabase } from "../kv/sqlite.ts";
import { retry } from "../kv/core/retry.ts";
import { isBusy } from "../kv/sqlite/errors.ts";
import type { Engine } from "./engine.ts";
import { pathOf } from "./engine.ts";

/** What both clients have. */
interface Client extends SqliteDatabase {
  exec(sql: string): unknown;
  close(): unknown;
}

export const sqlite: Engine = {
  example: "sqlite:path/to/file.db",
  async open(url, options) {
    const { SqliteKvStore } = await import("../kv/sqlite.ts");
    const { synchronous = "NORMAL", ...rest } = options;
    if (!["OFF", "NORMAL", "FULL", "EXTRA"].includes(String(synchronous))) {
      throw new TypeError(
        "Cannot open a SQLite store: synchronous must be OFF, NORMAL, FULL or " +
          `EXTRA: received ${JSON.stringify(synchronous)}`,
      );
    }
    const path = pathOf(url);
    if (path === "") {
      throw new TypeError(
        "Cannot open a SQLite store: the URL must have a path, or be " +
          "sqlite::memory:",
      );
    }
    const db = await openDatabase(path);
    try {
      if (path !== ":memory:") {
        // Processes that open a new file at once wait for each other: SQLite
        // itself does not wait when it changes the journal mode.
        await retry(() => void db.exec("PRAGMA journal_mode = WAL"), {
          isTransient: isBusy,
          timeout: 5_000,
        });
      }
      db.exec(`PRAGMA synchronous = ${synchronous}`);
      return {
        store: new SqliteKvStore(db, rest),
        close: () => void db.close(),
      };
    } catch (error) {
      db.close();
      throw error;
    }
  },
};

async function openDatabase(path: string): Promise<Client> {
  if ("Bun" in globalThis) {
    const { Database } = await import("bun:sqlite" as string);
    return new Database(path);
  }
  const { DatabaseSync } = await import("node:sqlite");
  return new DatabaseSync(path) as unknown as Client;
}
