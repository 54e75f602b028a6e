/** What `kv doctor` checks on PostgreSQL. */

import { connectPostgres } from "../../open/postgres.ts";
import { formatBytes } from "../format.ts";
import { clock, fault, type Finding, ok, type Subject } from "./finding.ts";

/** The pages of a server, a session and a table. */
const SERVER = `SELECT
  current_setting('server_version_num')::int AS version,
  current_setting('server_version') AS name,
  current_setting('server_encoding') AS encoding,
  current_setting('fsync') AS fsync,
  current_setting('synchronous_commit') AS commit,
  current_setting('autovacuum') AS autovacuum,
  current_setting('default_transaction_read_only') AS read_only,
  pg_is_in_recovery() AS replica,
  pg_backend_pid() AS pid,
  (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS superuser,
  extract(epoch FROM clock_timestamp()) * 1000 AS time,
  to_regclass($1)::oid::text AS table`;

const TABLE = `SELECT
  c.relpersistence AS persistence,
  coalesce(array_to_string(c.reloptions, ','), '') AS options,
  pg_total_relation_size(c.oid)::text AS bytes,
  coalesce(s.n_live_tup, 0)::text AS live,
  coalesce(s.n_dead_tup, 0)::text AS dead,
  has_schema_privilege('public', n.oid, 'CREATE') AS open,
  n.nspname AS schema,
  array_to_string(ARRAY(
    SELECT p FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS p
    WHERE NOT has_table_privilege(c.oid, p)
  ), ', ') AS missing,
  (SELECT max(now() - xact_start) > interval '10 minutes'
    FROM pg_stat_activity WHERE state <> 'idle') AS old
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_stat_all_tables s ON s.relid = c.oid
WHERE c.oid = $1::text::oid`;

/** Checks the server and the table that a store on PostgreSQL uses. */
export async function* diagnosePostgres(
  { url, table }: Subject,
): AsyncGenerator<Finding> {
  const { sql, close } = await connectPostgres(url, false);
  try {
    const name = table.split(".").map((part) => `"${part}"`).join(".");
    // So that the next answer takes no longer than a round trip.
    await sql.unsafe(SERVER, [name]);
    const before = Date.now();
    const rows = await sql.unsafe(SERVER, [name]);
    const after = Date.now();
    const [server] = rows;
    yield* settings(server, rows.state?.pid);
    yield clock(Number(server.time), before, after);
    if (server.table === null) {
      yield fault(
        "note",
        "table",
        `there is no table ${table}`,
        "the first use of the store creates it",
      );
    } else {
      const [facts] = await sql.unsafe(TABLE, [server.table]);
      yield* tableFindings(facts);
    }
  } finally {
    await close();
  }
}

// deno-lint-ignore no-explicit-any -- a row
function* settings(server: any, pid: number | undefined): Generator<Finding> {
  yield server.version >= 120_000
    ? ok("version", `PostgreSQL ${server.name}`)
    : fault("error", "version", server.name, "use PostgreSQL 12 or later");
  yield server.encoding === "UTF8" ? ok("encoding", "UTF8") : fault(
    "error",
    "encoding",
    `the database is encoded in ${server.encoding}`,
    "create a database with ENCODING 'UTF8'",
  );
  if (server.replica || server.read_only === "on") {
    yield fault(
      "error",
      "role",
      server.replica
        ? "the server is a replica, which rejects writes"
        : "transactions are read-only by default_transaction_read_only",
      "connect to the primary, as a role that may write",
    );
  }
  // A pooler gives its clients process ids of its own.
  yield pid === undefined || pid === server.pid
    ? ok("pooler", "none between this client and the server")
    : fault(
      "warning",
      "pooler",
      "a pooler, such as PgBouncer, is between this client and the server",
      "in transaction mode, set prepare: false on the store, and --no-prepare " +
        "for kv",
    );
  yield server.fsync === "on"
    ? server.commit === "off"
      ? fault(
        "note",
        "durability",
        "synchronous_commit is off: a crash may lose the last second",
        "set it to on, unless that is what you want",
      )
      : ok("durability", "a crash loses no acknowledged write")
    : fault(
      "error",
      "durability",
      "fsync is off: a crash may destroy the database",
      "set fsync = on",
    );
  if (server.autovacuum !== "on") yield noAutovacuum("autovacuum is off");
  if (server.superuser) {
    yield fault(
      "warning",
      "rights",
      "the role is a superuser",
      "connect as a role with rights on the table only: docs/operations.md",
    );
  }
}

// deno-lint-ignore no-explicit-any -- a row
function* tableFindings(facts: any): Generator<Finding> {
  yield ok(
    "table",
    `about ${facts.live} rows, ${
      formatBytes(Number(facts.bytes))
    } with indexes`,
  );
  if (facts.persistence === "u") {
    yield fault(
      "warning",
      "table",
      "it is UNLOGGED: empty after a crash, and on replicas",
      "ALTER TABLE … SET LOGGED, unless that is what you want",
    );
  }
  yield facts.missing === ""
    ? ok("rights", "SELECT, INSERT, UPDATE and DELETE")
    : fault(
      "error",
      "rights",
      `the role lacks ${facts.missing} on the table`,
      `GRANT ${facts.missing} ON … TO …`,
    );
  if (facts.open) {
    yield fault(
      "warning",
      "schema",
      `every role may create objects in the schema ${facts.schema}`,
      `REVOKE CREATE ON SCHEMA ${facts.schema} FROM PUBLIC, or use another one`,
    );
  }
  if (/autovacuum_enabled=(off|false)/.test(facts.options)) {
    yield noAutovacuum("autovacuum is off for the table");
  }
  const [live, dead] = [Number(facts.live), Number(facts.dead)];
  if (dead > 10_000 && dead > live) {
    yield fault(
      "warning",
      "vacuum",
      `${dead} dead rows wait for a vacuum`,
      facts.old
        ? "end the transaction that is open for more than 10 minutes: " +
          "SELECT * FROM pg_stat_activity"
        : "ALTER TABLE … SET (autovacuum_vacuum_scale_factor = 0.02)",
    );
  } else yield ok("vacuum", `${dead} dead rows`);
}

function noAutovacuum(detail: string): Finding {
  return fault(
    "error",
    "vacuum",
    `${detail}: the table grows with every write`,
    "turn it on",
  );
}
