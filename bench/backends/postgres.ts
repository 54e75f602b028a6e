// A private PostgreSQL, with our store, Fedify's and the alternatives.
import { PostgresKvStore as FedifyPostgresKvStore } from "@fedify/postgres";
import KeyvPostgres from "@keyv/postgres";
import { createDatabase } from "db0";
import postgresql from "db0/connectors/postgresql";
import db0Driver from "unstorage/drivers/db0";
import postgres from "postgres";
import { PostgresKvStore } from "../../kv/postgres.ts";
import { startPostgres } from "../../servers/mod.ts";
import { keyvSubject } from "../alternatives/keyv.ts";
import { unstorageSubject } from "../alternatives/unstorage.ts";
import { type Backend, OURS, versionOf } from "../backend.ts";
import { joined } from "../keys.ts";
import {
  DAY,
  DAY_MILLISECONDS,
  loadBySets,
  storeSubject,
  type Subject,
} from "../subject.ts";

/** A server with the settings that it comes with, so one fsync a commit. */
export const postgresBackend: Backend = {
  name: "postgres",
  title: "PostgreSQL, synchronous_commit on",
  async open() {
    const server = await startPostgres();
    const raw = postgres(server.url, { fetch_types: false });
    const ours = postgres(server.url, { fetch_types: false });
    // Fedify's store passes keys as arrays, whose types must be fetched.
    const fedify = postgres(server.url);
    const clients = [raw, ours, fedify];
    const db0 = createDatabase(postgresql({ url: server.url }));
    const unstorage = unstorageSubject(db0Driver({ database: db0 }), {
      ttl: false,
      without: {
        "list": "left out: its entries would have to be loaded one by one",
        "set among 100,000":
          "left out: its entries would have to be loaded one by one",
      },
    });
    const keyv = keyvSubject(new KeyvPostgres({ uri: server.url }));
    return {
      subjects: [
        await rawSubject(raw),
        loadedApart(storeSubject(OURS, new PostgresKvStore(ours)), server.url),
        await fedifySubject(fedify),
        unstorage,
        keyv,
      ],
      absent: {},
      versions: {
        PostgreSQL: (await raw`SHOW server_version`)[0]!.server_version,
        "postgres.js": versionOf("postgres"),
        "@fedify/postgres": versionOf("@fedify/postgres"),
        unstorage: versionOf("unstorage"),
        db0: versionOf("db0"),
        "@keyv/postgres": versionOf("@keyv/postgres"),
      },
      async close() {
        await unstorage.close();
        await db0.dispose();
        await keyv.close();
        await Promise.all(clients.map((client) => client.end()));
        await server.stop();
      },
    };
  },
};

/**
 * Our store, loaded by its own client. Each call of a client takes the
 * connection that rests longest, and one that is used all the time answers up
 * to a fifth sooner: so no subject may begin with more connections than another.
 */
function loadedApart(subject: Subject, url: string): Subject {
  return {
    ...subject,
    async load(entries) {
      const sql = postgres(url, { fetch_types: false });
      const loader = storeSubject(OURS, new PostgresKvStore(sql));
      await loadBySets(loader, entries);
      await sql.end();
    },
  };
}

/** A prepared statement for each call. */
async function rawSubject(sql: postgres.Sql): Promise<Subject> {
  await sql`CREATE TABLE raw (
    key text COLLATE "C" PRIMARY KEY, value text NOT NULL, expires bigint
  )`;

  function set(key: unknown, value: unknown, expires: number | null) {
    return sql`INSERT INTO raw (key, value, expires)
      VALUES (${key as string}, ${JSON.stringify(value)}, ${expires})
      ON CONFLICT (key) DO UPDATE
      SET value = excluded.value, expires = excluded.expires`;
  }

  return {
    name: "raw postgres.js",
    toKey: (key) => joined(key, " "),
    async get(key) {
      const [row] = await sql`SELECT value FROM raw WHERE key = ${key as string}
        AND (expires IS NULL OR expires > ${Date.now()})`;
      return row === undefined ? undefined : JSON.parse(row.value);
    },
    set: (key, value) => set(key, value, null),
    setWithTtl: (key, value) => set(key, value, Date.now() + DAY_MILLISECONDS),
    async cas(key, expected, value) {
      const { count } = await sql`UPDATE raw
        SET value = ${JSON.stringify(value)}, expires = NULL
        WHERE key = ${key as string} AND value = ${JSON.stringify(expected)}`;
      return count === 1;
    },
    async list(prefix) {
      const rows = await sql`SELECT key, value FROM raw
        WHERE key >= ${`${prefix} `} AND key < ${`${prefix}!`}
        AND (expires IS NULL OR expires > ${Date.now()}) ORDER BY key`;
      return rows.map((row) => JSON.parse(row.value)).length;
    },
    async load(entries) {
      const rows = entries.map(({ key, value, expires }) => ({
        key: key as string,
        value: JSON.stringify(value),
        expires: expires ? Date.now() + DAY_MILLISECONDS : null,
      }));
      await sql`INSERT INTO raw SELECT * FROM jsonb_to_recordset(${
        sql.json(rows)
      }) AS rows (key text, value text, expires bigint)`;
    },
  };
}

/**
 * Fedify's store makes its table `UNLOGGED`, so that its writes wait for no
 * disk: its table is made as durable as the others here.
 */
async function fedifySubject(sql: postgres.Sql): Promise<Subject> {
  const store = new FedifyPostgresKvStore(sql);
  await store.initialize();
  await sql`ALTER TABLE fedify_kv_v2 SET LOGGED`;
  return {
    ...storeSubject("Fedify", store),
    async load(entries) {
      // Each of its sets would look through all entries.
      const rows = entries.map(({ key, value, expires }) => ({
        key: key as string[],
        value: value as postgres.JSONValue,
        ttl: expires ? DAY.toString() : null,
      }));
      await sql`INSERT INTO fedify_kv_v2 (key, value, ttl)
        SELECT * FROM jsonb_to_recordset(${sql.json(rows)})
        AS rows (key text[], value jsonb, ttl interval)`;
    },
  };
}
