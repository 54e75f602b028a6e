// A private MariaDB, with our store, Fedify's and the bare client.
import { MysqlKvStore as FedifyMysqlKvStore } from "@fedify/mysql";
import {
  createPool,
  type Pool,
  type PoolConnection,
  type QueryValues,
  type ResultSetHeader,
  type RowDataPacket,
} from "mysql2/promise";
import { MysqlKvStore } from "../../kv/mysql.ts";
import { startMariadb } from "../../servers/mod.ts";
import { type Backend, OURS, versionOf } from "../backend.ts";
import { joined } from "../keys.ts";
import { DAY_MILLISECONDS, storeSubject, type Subject } from "../subject.ts";

/** A server with the settings that it comes with, so one fsync a commit. */
export const mysqlBackend: Backend = {
  name: "mysql",
  title: "MariaDB, innodb_flush_log_at_trx_commit 1",
  async open() {
    const server = await startMariadb();
    const [raw, ours, fedify] = [
      createPool(server.url),
      createPool(server.url),
      createPool(server.url),
    ];
    const [[row]] = await raw.query<RowDataPacket[]>("SELECT VERSION() AS v");
    return {
      subjects: [
        await rawSubject(raw),
        storeSubject(OURS, new MysqlKvStore(ours)),
        storeSubject("Fedify", new FedifyMysqlKvStore(withoutCast(fedify))),
      ],
      absent: {},
      versions: {
        MariaDB: row!["v"],
        mysql2: versionOf("mysql2"),
        "@fedify/mysql": versionOf("@fedify/mysql"),
      },
      async close() {
        await Promise.all([raw, ours, fedify].map((pool) => pool.end()));
        await server.stop();
      },
    };
  },
};

/** MariaDB has no `CAST(… AS JSON)`, which Fedify's store uses. */
function withoutCast(pool: Pool): Pool {
  const query =
    (to: Pool | PoolConnection) => (sql: string, values?: QueryValues) =>
      to.query(sql.replaceAll("CAST(? AS JSON)", "?"), values);
  return {
    query: query(pool),
    async getConnection() {
      const connection = await pool.getConnection();
      return {
        query: query(connection),
        beginTransaction: () => connection.beginTransaction(),
        commit: () => connection.commit(),
        rollback: () => connection.rollback(),
        release: () => connection.release(),
      };
    },
  } as unknown as Pool;
}

/** A prepared statement for each call. */
async function rawSubject(pool: Pool): Promise<Subject> {
  await pool.query(`CREATE TABLE raw (
    \`key\` varbinary(700) PRIMARY KEY, value longblob NOT NULL, expires bigint
  )`);

  function set(key: unknown, value: unknown, expires: number | null) {
    return pool.execute(
      `INSERT INTO raw (\`key\`, value, expires) VALUES (?, ?, ?)
      ON DUPLICATE KEY UPDATE value = VALUES(value), expires = VALUES(expires)`,
      [key as string, JSON.stringify(value), expires],
    );
  }

  return {
    name: "raw mysql2",
    toKey: (key) => joined(key, " "),
    async get(key) {
      const [[row]] = await pool.execute<RowDataPacket[]>(
        `SELECT value FROM raw WHERE \`key\` = ?
        AND (expires IS NULL OR expires > ?)`,
        [key as string, Date.now()],
      );
      return row === undefined ? undefined : JSON.parse(row["value"]);
    },
    set: (key, value) => set(key, value, null),
    setWithTtl: (key, value) => set(key, value, Date.now() + DAY_MILLISECONDS),
    async cas(key, expected, value) {
      const [{ affectedRows }] = await pool.execute<ResultSetHeader>(
        "UPDATE raw SET value = ?, expires = NULL WHERE `key` = ? AND value = ?",
        [JSON.stringify(value), key as string, JSON.stringify(expected)],
      );
      return affectedRows === 1;
    },
    async list(prefix) {
      const [rows] = await pool.execute<RowDataPacket[]>(
        `SELECT \`key\`, value FROM raw WHERE \`key\` >= ? AND \`key\` < ?
        AND (expires IS NULL OR expires > ?) ORDER BY \`key\``,
        [`${prefix} `, `${prefix}!`, Date.now()],
      );
      return rows.map((row) => JSON.parse(row["value"])).length;
    },
  };
}
