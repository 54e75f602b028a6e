// The conformance suite on PostgreSQL by postgres.js.
import postgres from "postgres";
import { PostgresKvStore } from "../../kv/postgres.ts";
import { isFull } from "../support/extent.ts";
import { conformance } from "../../testing/mod.ts";
import { sharedUrl, unavailable } from "../../servers/mod.ts";

const reason = await unavailable("postgres");
const url = reason === undefined ? await sharedUrl("postgres") : "";

const clients: Record<string, postgres.Options<Record<string, never>>> = {
  "a pool of 10": { max: 10 },
  // A single connection with prepared statements is tested with pg.
  ...(isFull ? { "max: 1, prepare: false": { max: 1, prepare: false } } : {}),
};

for (const [name, options] of Object.entries(clients)) {
  const suite = `PostgresKvStore with ${name}`;
  conformance({
    name: reason === undefined ? suite : `${suite} (${reason})`,
    test: reason === undefined ? Deno.test : Deno.test.ignore,
    open() {
      const tableName = crypto.randomUUID();
      const quiet = { fetch_types: false, ...options, onnotice: () => {} };
      const clients = [postgres(url, quiet), postgres(url, quiet)] as const;
      return {
        store: new PostgresKvStore(clients[0], { tableName }),
        peer: () => new PostgresKvStore(clients[1], { tableName }),
        async close() {
          await clients[0]`DROP TABLE IF EXISTS ${clients[0](tableName)}`;
          await Promise.all(clients.map((sql) => sql.end()));
        },
      };
    },
  });
}
