// SQLite databases for tests.
import { DatabaseSync } from "node:sqlite";

/** A database in a temporary folder, and its connections. */
export class DatabaseFile implements Disposable {
  readonly #folder = Deno.makeTempDirSync();
  readonly #connections: DatabaseSync[] = [];
  readonly path = `${this.#folder}/kv.db`;

  connect(
    pragmas = "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL",
  ): DatabaseSync {
    const db = new DatabaseSync(this.path);
    db.exec(pragmas);
    this.#connections.push(db);
    return db;
  }

  [Symbol.dispose]() {
    for (const db of this.#connections) db.close();
    Deno.removeSync(this.#folder, { recursive: true });
  }
}
