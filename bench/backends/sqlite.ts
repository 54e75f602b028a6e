// SQLite on a file, with our store, Fedify's and the alternatives.
import { DatabaseSync } from "node:sqlite";
import { createDatabase } from "db0";
import nodeSqlite from "db0/connectors/node-sqlite";
import db0Driver from "unstorage/drivers/db0";
import { SqliteKvStore } from "../../kv/sqlite.ts";
import { unstorageSubject } from "../alternatives/unstorage.ts";
import { makeFolder } from "../folder.ts";
import { type Backend, type OpenBackend, OURS, versionOf } from "../backend.ts";
import { joined } from "../keys.ts";
import {
  DAY_MILLISECONDS,
  loadBySets,
  storeSubject,
  type Subject,
} from "../subject.ts";

/** A file, with what most choose in WAL mode. */
export const sqlite: Backend = {
  name: "sqlite",
  title: "SQLite file, WAL, synchronous NORMAL",
  open: () => open("NORMAL"),
};

/** A file, with one fsync a commit. */
export const sqliteFull: Backend = {
  name: "sqlite_full",
  title: "SQLite file, WAL, synchronous FULL",
  operations: ["set", "set with TTL", "cas", "mix"],
  open: () => open("FULL"),
};

async function open(synchronous: "NORMAL" | "FULL"): Promise<OpenBackend> {
  const folder = makeFolder();
  const databases: DatabaseSync[] = [];

  /** All subjects get the same settings. */
  function configure(db: DatabaseSync): DatabaseSync {
    db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = ${synchronous}`);
    databases.push(db);
    return db;
  }

  const ours = configure(new DatabaseSync(`${folder.path}/ours.db`));
  const raw = configure(new DatabaseSync(`${folder.path}/raw.db`));
  const db0 = createDatabase(nodeSqlite({ path: `${folder.path}/db0.db` }));
  const unstorage = unstorageSubject(db0Driver({ database: db0 }), {
    ttl: false,
  });
  return {
    subjects: [
      rawSubject(raw),
      storeSubject(OURS, new SqliteKvStore(ours)),
      loadedAtOnce(unstorage, configure(await db0.getInstance())),
    ],
    absent: {
      Fedify:
        "@fedify/sqlite 1.8.7 does not load from npm: a bundled path of " +
        "its build is broken; later ones want packages that npm does not have",
      Keyv: "@keyv/sqlite 4.0.8 needs sqlite3, whose native build Deno does " +
        "not run",
    },
    versions: {
      SQLite: String(
        ours.prepare("SELECT sqlite_version() AS v").get()!.v,
      ),
      unstorage: versionOf("unstorage"),
      db0: versionOf("db0"),
    },
    close() {
      for (const db of databases) db.close();
      folder.remove();
      return Promise.resolve();
    },
  };
}

/** Cached statements, and each call for itself. */
function rawSubject(db: DatabaseSync): Subject {
  db.exec(
    "CREATE TABLE kv (key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL, " +
      "expires REAL)",
  );
  const select = db.prepare("SELECT value, expires FROM kv WHERE key = ?");
  const upsert = db.prepare(
    "INSERT INTO kv (key, value, expires) VALUES (?, ?, ?) " +
      "ON CONFLICT (key) DO UPDATE " +
      "SET value = excluded.value, expires = excluded.expires",
  );
  const update = db.prepare(
    "UPDATE kv SET value = ?, expires = NULL WHERE key = ? AND value = ?",
  );
  const range = db.prepare(
    "SELECT key, value, expires FROM kv WHERE key >= ? AND key < ? " +
      "ORDER BY key",
  );
  const isAlive = ({ expires }: Record<string, unknown>) =>
    expires === null || expires as number > Date.now();
  return loadedAtOnce({
    name: "raw node:sqlite",
    toKey: (key) => joined(key, " "),
    // deno-lint-ignore require-await
    async get(key) {
      const row = select.get(key as string);
      if (row !== undefined && isAlive(row)) {
        return JSON.parse(row.value as string);
      }
    },
    // deno-lint-ignore require-await
    async set(key, value) {
      upsert.run(key as string, JSON.stringify(value), null);
    },
    // deno-lint-ignore require-await
    async setWithTtl(key, value) {
      const expires = Date.now() + DAY_MILLISECONDS;
      upsert.run(key as string, JSON.stringify(value), expires);
    },
    // deno-lint-ignore require-await
    async cas(key, expected, value) {
      const { changes } = update.run(
        JSON.stringify(value),
        key as string,
        JSON.stringify(expected),
      );
      return changes === 1;
    },
    // deno-lint-ignore require-await
    async list(prefix) {
      return range.all(`${prefix} `, `${prefix}!`)
        .filter(isAlive)
        .map((row) => JSON.parse(row.value as string)).length;
    },
  }, db);
}

/** Loads entries in one transaction. */
function loadedAtOnce(subject: Subject, db: DatabaseSync): Subject {
  return {
    ...subject,
    async load(entries) {
      db.exec("BEGIN");
      await loadBySets(subject, entries);
      db.exec("COMMIT");
    },
  };
}
