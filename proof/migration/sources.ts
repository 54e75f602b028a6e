// The sources of a migration, opened again by each process.
import { Buffer } from "node:buffer";
import { DatabaseSync } from "node:sqlite";
import { Cluster, Redis } from "ioredis";
import mysql from "mysql2";
import postgres from "postgres";
import {
  fedifyDenoKv,
  fedifyMysql,
  fedifyPostgres,
  fedifyRedis,
  fedifySqlite,
  type MigrationSource,
} from "../../migrate/mod.ts";

/** How to reach what Fedify wrote; it travels to other processes as JSON. */
export interface Place {
  readonly kind: "sqlite" | "postgres" | "mysql" | "redis" | "cluster" | "deno";
  /** The URL, the URLs of a Cluster, or the path. */
  readonly url: string;
  /** The table. */
  readonly table?: string;
  /** The time zone of the session. */
  readonly timeZone?: string;
  /** The prefix of names as Base64, and whether it is text. */
  readonly prefix?: string;
  readonly isText?: boolean;
  /** Whether values have the codec of this proof. */
  readonly hasCodec?: boolean;
}

/** A codec of a user's own: JSON in Base64 after a letter. */
export const codec = {
  encode: (value: unknown): Buffer =>
    Buffer.from(`b${Buffer.from(JSON.stringify(value)).toString("base64")}`),
  decode: (bytes: Buffer): unknown =>
    JSON.parse(Buffer.from(bytes.toString().slice(1), "base64").toString()),
};

/** The prefix of names, as Fedify takes it. */
export function prefixOf({ prefix = "", isText }: Place): string | Buffer {
  const bytes = Buffer.from(prefix, "base64");
  return isText ? bytes.toString() : bytes;
}

/** A client of Redis or of a Cluster. */
export function redisOf({ kind, url }: Place): Redis | Cluster {
  return kind === "cluster" ? new Cluster(url.split(",")) : new Redis(url);
}

/** A client of PostgreSQL. */
export function postgresOf({ url, timeZone }: Place): postgres.Sql {
  return postgres(url, {
    max: 4,
    onnotice() {},
    ...timeZone === undefined ? {} : { connection: { TimeZone: timeZone } },
  });
}

/** A pool of MySQL. */
export function mysqlOf({ url, timeZone }: Place): mysql.Pool {
  const pool = mysql.createPool({ uri: url, connectionLimit: 2 });
  if (timeZone !== undefined) {
    pool.on("connection", (connection) => {
      connection.query(`SET time_zone = '${timeZone}'`);
    });
  }
  return pool;
}

/** Opens a source; it is closed by what it comes with. */
export async function openSource(
  place: Place,
): Promise<{ source: MigrationSource; close(): unknown }> {
  const { table: tableName } = place;
  switch (place.kind) {
    case "sqlite": {
      const db = new DatabaseSync(place.url, { readOnly: true });
      return { source: fedifySqlite(db), close: () => db.close() };
    }
    case "postgres": {
      const sql = postgresOf(place);
      const source = fedifyPostgres(sql, { tableName });
      return { source, close: () => sql.end({ timeout: 5 }) };
    }
    case "mysql": {
      const pool = mysqlOf(place);
      const source = fedifyMysql(pool, { tableName });
      return { source, close: () => pool.promise().end() };
    }
    case "redis":
    case "cluster": {
      const redis = redisOf(place);
      const source = fedifyRedis(redis, {
        keyPrefix: prefixOf(place),
        ...place.hasCodec ? { decode: codec.decode } : {},
      });
      return { source, close: () => redis.quit() };
    }
    case "deno": {
      const kv = await Deno.openKv(place.url);
      return { source: fedifyDenoKv(kv), close: () => kv.close() };
    }
  }
}
