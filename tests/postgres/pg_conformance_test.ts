// The conformance suite on PostgreSQL by pg.
import { PostgresKvStore } from "../../kv/postgres.ts";
import { isFull } from "../support/extent.ts";
import { conformance } from "../../testing/mod.ts";
import { reason } from "./clients.ts";
import { openClient, openPool } from "./pg.ts";

const clients = {
  ...(isFull ? { "a pool of pg": () => openPool({ max: 4 }) } : {}),
  "a client of pg": () => openClient(),
};

for (const [name, connect] of Object.entries(clients)) {
  const suite = `PostgresKvStore with ${name}`;
  conformance({
    name: reason === undefined ? suite : `${suite} (${reason})`,
    test: reason === undefined ? Deno.test : Deno.test.ignore,
    async open() {
      const tableName = crypto.randomUUID();
      const client = await connect();
      const other = await connect();
      return {
        store: new PostgresKvStore(client, { tableName }),
        peer: () => new PostgresKvStore(other, { tableName, prepare: false }),
        async close() {
          await client.query(`DROP TABLE IF EXISTS "${tableName}"`);
          await Promise.all([client.end(), other.end()]);
        },
      };
    },
  });
}
