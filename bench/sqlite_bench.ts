import { DatabaseSync } from "node:sqlite";
import { SqliteKvStore } from "../kv/sqlite.ts";
import { benchOperations, type Subject } from "./operations.ts";

const folder = Deno.makeTempDirSync();
addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));

/** All subjects get the same settings. */
function connect(name: string): DatabaseSync {
  const db = new DatabaseSync(`${folder}/${name}.db`);
  db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
  return db;
}

const db = connect("raw");
db.exec("CREATE TABLE kv (key TEXT PRIMARY KEY, value TEXT, expires REAL)");
const select = db.prepare("SELECT value, expires FROM kv WHERE key = ?");
const upsert = db.prepare("INSERT OR REPLACE INTO kv VALUES (?, ?, ?)");
const raw: Subject = {
  name: "raw node:sqlite",
  get(key) {
    const row = select.get(JSON.stringify(key));
    return Promise.resolve(row && JSON.parse(row.value as string));
  },
  set(key, value, options) {
    const expires = options ? Date.now() + (options.ttl as number) : null;
    return Promise.resolve(
      upsert.run(JSON.stringify(key), JSON.stringify(value), expires),
    );
  },
};

const ours = new SqliteKvStore(connect("ours"));
await benchOperations("SQLite", [
  raw,
  {
    name: "@org/kv",
    get: (key) => ours.get(key),
    set: (...args) => ours.set(...args),
  },
]);
