// The conformance suite on MariaDB by mysql2.
import { MysqlKvStore } from "../../kv/mysql.ts";
import { isFull } from "../support/extent.ts";
import { conformance } from "../../testing/mod.ts";
import { type ClientOptions, poolOn, reason, url } from "./clients.ts";

const clients: Record<string, ClientOptions> = {
  ...(isFull ? { "a pool of 10": {} } : {}),
  "a pool of 1, in latin1, SERIALIZABLE, without FOUND_ROWS": {
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
  },
};

for (const [name, options] of Object.entries(clients)) {
  const suite = `MysqlKvStore with ${name}`;
  conformance({
    name: reason === undefined ? suite : `${suite} (${reason})`,
    test: reason === undefined ? Deno.test : Deno.test.ignore,
    open() {
      const tableName = crypto.randomUUID();
      const pools = [poolOn(url, options), poolOn(url, options)] as const;
      return {
        store: new MysqlKvStore(pools[0], { tableName }),
        peer: () => new MysqlKvStore(pools[1], { tableName }),
        async close() {
          const statement = `DROP TABLE IF EXISTS \`${tableName}\``;
          await pools[0].promise().query(statement);
          await Promise.all(pools.map((pool) => pool.promise().end()));
        },
      };
    },
  });
}
