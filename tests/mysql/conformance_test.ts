// The conformance suite on MariaDB by mysql2.
import { createConnection, createPool } from "mysql2/promise";
import { MysqlKvStore } from "../../kv/mysql.ts";
import { conformance } from "../../testing/mod.ts";
import { type ClientOptions, poolOn, reason, url } from "./clients.ts";

const hostile: ClientOptions = {
  connectionLimit: 1,
  flags: ["-FOUND_ROWS"],
  charset: "latin1",
  timezone: "+11:00",
  supportBigNumbers: true,
  bigNumberStrings: true,
  dateStrings: true,
  typeCast: () => "changed",
  setUp: [
    "SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE",
    "SET SESSION time_zone = '-11:00', sql_mode = ''",
  ],
};

const clients: Record<
  string,
  () => {
    client: ConstructorParameters<typeof MysqlKvStore>[0];
    end(): Promise<unknown>;
  }
> = {
  "a pool of 10": () => {
    const client = poolOn(url);
    return { client, end: () => client.promise().end() };
  },
  "a pool of 1, in latin1, SERIALIZABLE, without FOUND_ROWS": () => {
    const client = poolOn(url, hostile);
    return { client, end: () => client.promise().end() };
  },
};

for (const [name, connect] of Object.entries(clients)) {
  const suite = `MysqlKvStore with ${name}`;
  conformance({
    name: reason === undefined ? suite : `${suite} (${reason})`,
    test: reason === undefined ? Deno.test : Deno.test.ignore,
    open() {
      const tableName = crypto.randomUUID();
      const [first, second] = [connect(), connect()];
      return {
        store: new MysqlKvStore(first.client, { tableName }),
        peer: () => new MysqlKvStore(second.client, { tableName }),
        async close() {
          const pool = createPool(url);
          await pool.query(`DROP TABLE IF EXISTS \`${tableName}\``);
          await Promise.all([first.end(), second.end(), pool.end()]);
        },
      };
    },
  });
}

Deno.test({
  name: "MysqlKvStore takes pools and connections with promises",
  ignore: reason !== undefined,
  async fn() {
    const tableName = crypto.randomUUID();
    const pool = createPool(url);
    const connection = await createConnection(url);
    const store = new MysqlKvStore(pool, { tableName });
    await store.set(["a"], 1);
    const other = new MysqlKvStore(connection, { tableName });
    if (await other.get(["a"]) !== 1) throw new Error("it reads another value");
    await pool.query(`DROP TABLE \`${tableName}\``);
    await pool.end();
    await connection.end();
  },
});
