// Every layout of Fedify's stores, filled with entries.
import { createHash } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import { PostgresKvStore } from "@fedify/postgres";
import { RedisKvStore } from "@fedify/redis";
import { Buffer } from "node:buffer";
import {
  entries,
  type Entry,
  type Expected,
  inTurns,
} from "../../tests/migrate/entries.ts";
import {
  codec,
  mysqlOf,
  type Place,
  postgresOf,
  prefixOf,
  redisOf,
} from "./sources.ts";

/** A layout in a place. */
export interface Layout {
  readonly name: string;
  readonly place: Place;
  /** Whether the source tells expiries. */
  readonly keepsExpiry: boolean;
  /** Writes the entries, and returns what must arrive. */
  fill(): Promise<Expected>;
  /** A digest of all that is stored. */
  dump(): Promise<string>;
}

/** Where the layouts are. */
export interface Urls {
  readonly folder: string;
  readonly redis: string;
  readonly cluster: string;
  readonly postgres: string;
  readonly mysql: string;
}

/** TTLs in calendar units. */
function calendar(all: readonly Entry[]): Entry[] {
  const units = [{ months: 13, days: 1 }, { years: 1, months: 1 }, {
    weeks: 2,
    hours: 1,
    milliseconds: 1,
  }];
  return all.map((entry, i) =>
    i % 4 === 2
      ? { ...entry, ttl: Temporal.Duration.from(units[i % 3]!) }
      : entry
  );
}

function idOf({ key }: Entry): string {
  return JSON.stringify(key);
}

function digest(rows: readonly unknown[]): string {
  const hash = createHash("sha256");
  for (const row of rows) hash.update(`${JSON.stringify(row)}\n`);
  return hash.digest("hex");
}

/** The layouts, each with some number of entries. */
export function layouts(urls: Urls, count: number): Layout[] {
  return [
    sqlite(urls, count),
    ...(["0.1", "1.8.7", "head"] as const).map((version) =>
      postgres(urls, count, version)
    ),
    mysql(urls, count, "fedify_kv", undefined),
    mysql(urls, count, "fedify_kv_zone", "+05:45"),
    mysql(urls, count, "key_value", "-03:00"),
    redis(urls, count, "redis", "fedify::", false),
    redis(urls, count, "redis", Buffer.from("*[é\\?:"), false),
    redis(urls, count, "redis", "codec::", true),
    redis(urls, count, "cluster", "fedify::", false),
    denoKv(urls, count),
  ];
}

function sqlite({ folder }: Urls, count: number): Layout {
  const place: Place = { kind: "sqlite", url: `${folder}/fedify.db` };
  return {
    name: "SQLite 1.8.7 to HEAD (by its DDL)",
    place,
    keepsExpiry: true,
    // deno-lint-ignore require-await
    async fill() {
      using db = new DatabaseSync(place.url);
      db.exec(`CREATE TABLE "fedify_kv" (key TEXT PRIMARY KEY,
        value TEXT NOT NULL, created INTEGER NOT NULL, expires INTEGER);
        CREATE INDEX "idx_fedify_kv_expires" ON "fedify_kv" (expires)`);
      const insert = db.prepare("INSERT INTO fedify_kv VALUES (?, ?, ?, ?)");
      const expected: Expected = new Map();
      db.exec("BEGIN");
      for (const [i, entry] of entries(["\0", "\x1f"], count).entries()) {
        const now = Date.now();
        const milliseconds = entry.ttl?.total("milliseconds");
        const expires = milliseconds && now + milliseconds + (i % 3) / 4;
        const { value } = entry;
        insert.run(idOf(entry), JSON.stringify(value), now, expires ?? null);
        expected.set(idOf(entry), {
          value,
          ...expires === undefined ? {} : { expires },
        });
      }
      db.exec("COMMIT");
      return expected;
    },
    // deno-lint-ignore require-await
    async dump() {
      using db = new DatabaseSync(place.url, { readOnly: true });
      return digest(db.prepare("SELECT * FROM fedify_kv ORDER BY key").all());
    },
  };
}

function postgres(
  { postgres: url }: Urls,
  count: number,
  version: "0.1" | "1.8.7" | "head",
): Layout {
  const table = {
    "0.1": "fedify_kv",
    "1.8.7": "fedify_kv_v2",
    head: "head.fedify_kv_v2",
  }[version];
  const timeZone = {
    "0.1": "America/St_Johns",
    "1.8.7": "Asia/Kathmandu",
    head: "UTC",
  }[version];
  const place: Place = { kind: "postgres", url, table, timeZone };
  return {
    name: {
      "0.1": "PostgreSQL 0.1 (by its DDL), values in a JSON string",
      "1.8.7": "PostgreSQL 0.2 to 1.8.7 (by its code)",
      head: "PostgreSQL HEAD (by its DDL), some values in a JSON string",
    }[version],
    place,
    keepsExpiry: true,
    async fill() {
      const sql = postgresOf(place);
      const all = calendar(entries([], count));
      if (version === "1.8.7") {
        const fedify = new PostgresKvStore(sql, { tableName: table });
        await fedify.initialize();
        // It cannot store null.
        await inTurns(all, ({ key, value, ttl }) =>
          fedify.set(
            key,
            value ?? "null",
            ttl === undefined ? {} : { ttl } as never,
          ));
        await sql`UPDATE ${sql(table)} SET value = 'null'
          WHERE value = '"null"'`;
      } else {
        await sql`CREATE SCHEMA IF NOT EXISTS head`;
        await sql.unsafe(`CREATE ${version === "0.1" ? "UNLOGGED" : ""} TABLE
          ${table} (key text[] PRIMARY KEY, value jsonb NOT NULL,
          created timestamptz DEFAULT CURRENT_TIMESTAMP, ttl interval)`);
        for (let i = 0; i < all.length; i += 200) {
          const some = all.slice(i, i + 200);
          await Promise.all(some.map(({ key, value, ttl }, j) => {
            const json = JSON.stringify(value);
            const isDouble = version === "0.1" || j % 5 === 0;
            return sql`INSERT INTO ${sql(table)} (key, value, ttl) VALUES (
              ${[...key]},
              ${isDouble ? JSON.stringify(json) : json}::text::jsonb,
              ${ttl?.toString() ?? null})`;
          }));
        }
      }
      const rows = await sql`SELECT array_to_json(key)::text AS id,
        (extract(epoch FROM created + ttl) * 1000)::float8 AS expires
        FROM ${sql(table)}`;
      await sql.end();
      const values = new Map(all.map((entry) => [idOf(entry), entry.value]));
      return new Map(rows.map(({ id, expires }) => {
        const key = JSON.stringify(JSON.parse(id));
        const value = values.get(key);
        return [key, { value, ...expires === null ? {} : { expires } }];
      }));
    },
    async dump() {
      const sql = postgresOf(place);
      const rows = await sql.unsafe(
        `SELECT t::text AS row, xmin::text FROM ${table} AS t ORDER BY key`,
      );
      await sql.end();
      return digest([...rows]);
    },
  };
}

function mysql(
  { mysql: url }: Urls,
  count: number,
  table: string,
  timeZone: string | undefined,
): Layout {
  const isGhost = table === "key_value";
  const place: Place = {
    kind: "mysql",
    url,
    table,
    ...timeZone === undefined ? {} : { timeZone },
  };
  return {
    name: `${isGhost ? "Ghost's key_value" : "MySQL 2.1 on"} (by its DDL)` +
      (timeZone === undefined ? "" : `, time zone ${timeZone}`),
    place,
    keepsExpiry: true,
    async fill() {
      const pool = mysqlOf(place);
      const sql = pool.promise();
      await sql.query(
        isGhost
          ? `CREATE TABLE ${table} (\`key\` VARCHAR(256) CHARACTER SET utf8mb4
              COLLATE utf8mb4_bin NOT NULL UNIQUE,
              \`value\` JSON NOT NULL, \`expires\` DATETIME NULL)`
          : `CREATE TABLE ${table} (
              \`key\` VARCHAR(768) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
                NOT NULL PRIMARY KEY,
              \`value\` JSON NOT NULL, \`expires\` DATETIME(6) NULL,
              KEY idx_${table}_expires (\`expires\`))`,
      );
      const all = entries(["\0"], count);
      for (let i = 0; i < all.length; i += 200) {
        const rows = all.slice(i, i + 200);
        await sql.query(
          `INSERT INTO ${table} VALUES ` +
            rows.map(() => "(?, ?, NOW(6) + INTERVAL ? MICROSECOND)").join(),
          rows.flatMap(({ key, value, ttl }) => [
            JSON.stringify(key),
            JSON.stringify(
              isGhost && typeof value === "boolean"
                ? { "@@BOOLEAN@@": value }
                : value,
            ),
            ttl === undefined ? null : ttl.total("milliseconds") * 1000,
          ]),
        );
      }
      // What the server makes of the expiry, in the time zone of the writer.
      const [rows] = await sql.query(
        `SELECT \`key\` AS id,
          CAST(UNIX_TIMESTAMP(expires) * 1000 AS DOUBLE) AS expires
        FROM ${table}`,
      );
      await sql.end();
      const values = new Map(all.map((entry) => [idOf(entry), entry.value]));
      return new Map(
        (rows as { id: string; expires: number | null }[]).map(
          ({ id, expires }) => [
            id,
            {
              value: values.get(id),
              ...expires === null ? {} : { expires },
            },
          ],
        ),
      );
    },
    async dump() {
      const pool = mysqlOf(place);
      const [rows] = await pool.promise().query(
        `SELECT * FROM ${table} ORDER BY \`key\``,
      );
      await pool.promise().end();
      return digest(rows as unknown[]);
    },
  };
}

function redis(
  urls: Urls,
  count: number,
  kind: "redis" | "cluster",
  keyPrefix: string | Buffer,
  hasCodec: boolean,
): Layout {
  const isText = typeof keyPrefix === "string";
  const place: Place = {
    kind,
    url: urls[kind],
    prefix: Buffer.from(keyPrefix as string).toString("base64"),
    isText,
    hasCodec,
  };
  return {
    name:
      `Redis 0.4 to HEAD (by its code), ${
        kind === "cluster" ? "three masters, " : ""
      }${isText ? "" : "a Buffer as "}prefix ${keyPrefix}` +
      (hasCodec ? ", a codec" : ""),
    place,
    keepsExpiry: true,
    async fill() {
      const client = redisOf(place);
      const fedify = new RedisKvStore(client as never, {
        keyPrefix: prefixOf(place),
        ...hasCodec ? { codec } : {},
      });
      const expected: Expected = new Map();
      await inTurns(entries(["\0"], count), async (entry) => {
        const { key, value, ttl } = entry;
        await fedify.set(key, value, ttl === undefined ? {} : { ttl } as never);
        const name = Buffer.concat([
          Buffer.from(keyPrefix as string),
          Buffer.from(
            key.map((part) => part.replaceAll(":", "_:")).join("::"),
          ),
        ]);
        const expires = Number(await client.call("pexpiretime", name));
        expected.set(idOf(entry), {
          value,
          ...expires < 0 ? {} : { expires },
        });
      });
      await client.quit();
      return expected;
    },
    async dump() {
      const client = redisOf(place);
      await client.ping();
      const nodes = "nodes" in client ? client.nodes("master") : [client];
      if ("nodes" in client && nodes.length < 3) {
        throw new Error("the Cluster has fewer than three masters");
      }
      const start = Buffer.from(keyPrefix as string);
      const rows: string[] = [];
      for (const node of nodes) {
        const names = (await node.keysBuffer("*") as Buffer[])
          .filter((name) => name.subarray(0, start.length).equals(start));
        await inTurns(names, async (name) => {
          const [value, expires] = await Promise.all([
            node.dumpBuffer(name),
            node.call("pexpiretime", name),
          ]);
          rows.push(
            `${name.toString("hex")} ${value.toString("hex")} ${expires}`,
          );
        });
      }
      await client.quit();
      return digest(rows.sort());
    },
  };
}

function denoKv({ folder }: Urls, count: number): Layout {
  const place: Place = { kind: "deno", url: `${folder}/fedify.kv` };
  return {
    name: "Deno KV (by its encoding)",
    place,
    keepsExpiry: false,
    async fill() {
      using kv = await Deno.openKv(place.url);
      const expected: Expected = new Map();
      const all = entries(["\0"], count);
      for (let i = 0; i < all.length; i += 200) {
        const atomic = kv.atomic();
        for (const entry of all.slice(i, i + 200)) {
          const expireIn = entry.ttl?.total("milliseconds");
          atomic.set(entry.key, entry.value, expireIn ? { expireIn } : {});
          expected.set(idOf(entry), { value: entry.value });
        }
        await atomic.commit();
      }
      await kv.set(["__fedify_ordering_lock__", "a"], 1);
      return expected;
    },
    async dump() {
      using kv = await Deno.openKv(place.url);
      const rows: unknown[] = [];
      for await (
        const { key, value, versionstamp } of kv.list({ prefix: [] })
      ) {
        rows.push([key, value, versionstamp]);
      }
      return digest(rows);
    },
  };
}
