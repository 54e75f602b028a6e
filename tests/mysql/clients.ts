// MySQL clients and tables for tests.
import mysql from "mysql2";
import { MysqlKvStore, type MysqlKvStoreOptions } from "../../kv/mysql.ts";
import { sharedUrl, unavailable } from "../../servers/mod.ts";

/** Why there is no MariaDB: `undefined` if there is one. */
export const reason = await unavailable("mariadb");

/** The URL of the shared MariaDB. */
export const url = reason === undefined ? await sharedUrl("mariadb") : "";

/** Options of a pool of mysql2, and statements that set up each connection. */
export interface ClientOptions extends mysql.PoolOptions {
  readonly setUp?: readonly string[];
}

/** A table of a test's own, and what uses it. */
export interface Fixture {
  /** The name of the table, and the same quoted. */
  readonly tableName: string;
  readonly table: string;
  /** A store on the table, with its own client. */
  readonly store: MysqlKvStore;
  /** Another store on the table, with its own client. */
  connect(
    options?: ClientOptions,
    storeOptions?: MysqlKvStoreOptions,
  ): MysqlKvStore;
  /** A pool that the test need not close. */
  open(options?: ClientOptions): mysql.Pool;
  /** Runs SQL, and returns its rows. */
  // deno-lint-ignore no-explicit-any -- a test knows what it selects
  sql(statement: string, parameters?: unknown[]): Promise<any[]>;
}

/** SQL for a table of the numbers from 1 on, in a column `seq`. */
export function numbersTo(last: number): string {
  const digit = `(SELECT 0 AS d${
    Array.from({ length: 9 }, (_, i) => ` UNION ALL SELECT ${i + 1}`).join("")
  })`;
  const powers = Array.from({ length: `${last}`.length }, (_, i) => i);
  return `(SELECT 1 + ${
    powers.map((i) => `n${i}.d * 1e${i}`).join(" + ")
  } AS seq
    FROM ${powers.map((i) => `${digit} AS n${i}`).join(", ")}) AS numbers
    WHERE seq <= ${last}`;
}

/** A pool on a server. */
export function poolOn(url: string, options: ClientOptions = {}): mysql.Pool {
  const { setUp = [], ...rest } = options;
  const pool = mysql.createPool({ uri: url, ...rest });
  // A connection runs its statements in order.
  pool.on("connection", (connection) => {
    for (const statement of setUp) connection.query(statement);
  });
  return pool;
}

/** A test on the shared MariaDB, with its own table. */
export function testOnMysql(
  sentence: string,
  fn: (fixture: Fixture) => Promise<void>,
): void {
  Deno.test({
    name: reason === undefined ? sentence : `${sentence} (${reason})`,
    ignore: reason !== undefined,
    fn: () => withTable(url, fn),
  });
}

/** Gives a function its own table on a server. */
export async function withTable(
  url: string,
  fn: (fixture: Fixture) => Promise<void>,
  tableName: string = crypto.randomUUID(),
): Promise<void> {
  const pools: mysql.Pool[] = [];
  const table = `\`${tableName.replaceAll("`", "``")}\``;
  const open: Fixture["open"] = (options) => {
    const pool = poolOn(url, options);
    pools.push(pool);
    return pool;
  };
  const main = open({ multipleStatements: true }).promise();
  const sql: Fixture["sql"] = async (statement, parameters) => {
    const [rows] = await main.query(statement, parameters);
    // deno-lint-ignore no-explicit-any -- as above
    return rows as any[];
  };
  const connect: Fixture["connect"] = (options, storeOptions) =>
    new MysqlKvStore(open(options), { tableName, ...storeOptions });
  try {
    await fn({ tableName, table, store: connect(), connect, open, sql });
  } finally {
    await sql(`DROP TABLE IF EXISTS ${table}`);
    await Promise.all(pools.map((pool) => pool.promise().end()));
  }
}
