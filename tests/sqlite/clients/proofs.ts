// The conformance cases and situations as a list, without a test runner.
import { SqliteKvStore } from "../../../kv/sqlite.ts";
import { cases, type OpenedStore, runCase } from "../../../testing/mod.ts";
import type { Connection, SqliteClient } from "./client.ts";
import { Databases } from "./databases.ts";
import { situations } from "./situations.ts";

/** Something that must hold with every client. */
export interface Proof {
  readonly name: string;
  /** Rejects if it does not hold. */
  run(): Promise<void>;
}

/**
 * All that must hold with a client: the contract on a file, in memory and, but
 * for keys and values, with wide integers; and the situations of SQLite alone.
 *
 * @param client The client.
 * @param parent The folder for databases.
 */
export function proofs(client: SqliteClient, parent: string): Proof[] {
  const ways: Record<string, (databases: Databases) => () => Connection> = {
    "on a file": (databases) => () => databases.connect(),
    "in memory": (databases) => same(databases.openMemory()),
    "with wide integers": (databases) =>
      same(databases.closing(client.openWide(":memory:"))),
  };
  return [
    ...situationsWith(client, parent),
    ...Object.entries(ways).flatMap(([way, use]) =>
      cases.filter(({ section }) =>
        way !== "with wide integers" || !["Keys", "Values"].includes(section)
      ).map((each) => ({
        name: `${client.name} ${way}: ${each.name}`,
        run: () =>
          runCase(each, () => open(new Databases(client, parent), use)),
      }))
    ),
  ];
}

/** The situations of SQLite alone, with a client. */
export function situationsWith(client: SqliteClient, parent: string): Proof[] {
  return situations.map(({ name, run }) => ({
    name: `${client.name}: ${name}`,
    async run() {
      const databases = new Databases(client, parent);
      try {
        await run(databases);
      } finally {
        databases.close();
      }
    },
  }));
}

function open(
  databases: Databases,
  use: (databases: Databases) => () => Connection,
): OpenedStore {
  const connect = use(databases);
  // Time stands still. A whole fake Date would differ from those in the cases.
  const realNow = Date.now;
  let now = realNow();
  Date.now = () => now;
  return {
    store: new SqliteKvStore(connect()),
    peer: () => new SqliteKvStore(connect()),
    advance: (milliseconds) => void (now += milliseconds),
    close() {
      Date.now = realNow;
      databases.close();
    },
  };
}

function same(db: Connection): () => Connection {
  return () => db;
}
