/** What `kv doctor` checks on MySQL and MariaDB. */

import { importClient } from "../../open/engine.ts";
import { formatBytes } from "../format.ts";
import { clock, fault, type Finding, ok, type Subject } from "./finding.ts";

const SERVER = `SELECT VERSION() AS version,
  @@max_allowed_packet AS packet, @@read_only AS readOnly,
  @@innodb_flush_log_at_trx_commit AS flush, @@autocommit AS autocommit,
  @@sql_mode AS mode, @@tx_isolation_name AS isolation,
  UNIX_TIMESTAMP(NOW(6)) * 1000 AS time`;

const TABLE = `SELECT TABLE_ROWS AS entries, ENGINE AS engine,
  DATA_LENGTH + INDEX_LENGTH AS bytes
  FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ?`;

/** Checks the server and the table that a store on MySQL or MariaDB uses. */
export async function* diagnoseMysql(
  { url, table }: Subject,
): AsyncGenerator<Finding> {
  const { createConnection } = await importClient("mysql2/promise", "^3.24.0");
  const connection = await createConnection(
    url.replace(/^mariadb:/i, "mysql:"),
  );
  try {
    // MariaDB 11 and MySQL 8 name the variable differently.
    const isolation = await connection.query("SELECT @@transaction_isolation")
      .then(() => "transaction_isolation", () => "tx_isolation");
    const before = Date.now();
    const [[server]] = await connection.query(
      SERVER.replace("tx_isolation_name", isolation),
    );
    const after = Date.now();
    yield* settings(server);
    yield clock(Number(server.time), before, after);
    const [schema, name] = table.includes(".")
      ? table.split(".")
      : [decodeURIComponent(new URL(url).pathname.slice(1)), table];
    const [[facts]] = await connection.query(TABLE, [schema, name]);
    yield facts === undefined
      ? fault(
        "note",
        "table",
        `there is no table ${table}`,
        "the first use of the store creates it",
      )
      : ok(
        "table",
        `about ${facts.entries} rows, ${formatBytes(Number(facts.bytes))}`,
      );
  } finally {
    await connection.end();
  }
}

// deno-lint-ignore no-explicit-any -- a row
function* settings(server: any): Generator<Finding> {
  const { version } = server;
  const isMariadb = /mariadb/i.test(version);
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const isOld = isMariadb ? major * 100 + minor < 1005 : major < 8;
  yield isOld
    ? fault(
      "error",
      "version",
      version,
      "use MySQL 8.0 or later, or MariaDB 10.5 or later",
    )
    : ok("version", isMariadb ? version : `MySQL ${version}`);
  yield ok(
    "isolation",
    `${server.isolation}: the store works at every isolation level`,
  );
  const packet = Number(server.packet);
  yield packet >= 16 * 1024 ** 2
    ? ok("max_allowed_packet", formatBytes(packet))
    : fault(
      "warning",
      "max_allowed_packet",
      `${formatBytes(packet)}: larger values are rejected`,
      "set max_allowed_packet = 64M",
    );
  if (Number(server.autocommit) !== 1) {
    yield fault(
      "error",
      "autocommit",
      "autocommit is off: nothing would be committed",
      "remove it from init_connect, and set autocommit = 1",
    );
  }
  if (/EMPTY_STRING_IS_NULL/.test(server.mode)) {
    yield fault(
      "error",
      "sql_mode",
      "EMPTY_STRING_IS_NULL is not supported",
      "remove it from sql_mode",
    );
  }
  if (Number(server.readOnly) !== 0) {
    yield fault(
      "error",
      "role",
      "the server is read-only",
      "connect to the primary",
    );
  }
  yield Number(server.flush) === 1
    ? ok("durability", "a crash loses no acknowledged write")
    : fault(
      "note",
      "durability",
      `innodb_flush_log_at_trx_commit is ${server.flush}: ` +
        "a crash may lose the last second",
      "set it to 1, unless that is what you want",
    );
}
