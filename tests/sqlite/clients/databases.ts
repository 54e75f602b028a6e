// SQLite files for tests in Node, Bun and Deno.
import { mkdtempSync, rmSync } from "node:fs";
import type { Connection, SqliteClient } from "./client.ts";

/**
 * The databases that one proof needs of one client. Not all runtimes know
 * `using`, so {@linkcode Databases.close} is called.
 */
export class Databases {
  readonly client: SqliteClient;
  readonly #folder: string;
  readonly #connections: Connection[] = [];

  /** Makes a folder in `parent`, for one file. */
  constructor(client: SqliteClient, parent: string) {
    this.client = client;
    this.#folder = mkdtempSync(`${parent}/kv-sqlite-`);
  }

  /** Connects to the file, in haste: no test cuts the power. */
  connect(): Connection {
    const db = this.closing(this.client.open(`${this.#folder}/kv.db`));
    db.exec("PRAGMA synchronous = OFF");
    return db;
  }

  /** Opens a database in memory. */
  openMemory(): Connection {
    return this.closing(this.client.open(":memory:"));
  }

  /** Closes a connection at the end. */
  closing<T extends Connection>(db: T): T {
    this.#connections.push(db);
    return db;
  }

  /** Closes all connections, and removes the file. */
  close(): void {
    for (const db of this.#connections) db.close();
    rmSync(this.#folder, { recursive: true });
  }
}
