/** What `kv doctor` finds on real servers, and which exit code it gives. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { Redis } from "ioredis";
import { DatabaseSync } from "node:sqlite";
import postgres from "postgres";
import {
  type ServerKind,
  sharedUrl,
  startRedis,
  unavailable,
} from "../../servers/mod.ts";
import { kv, withDatabase } from "./run.ts";

/** The URLs of shared servers, as far as they can be started. */
const urls: Partial<Record<ServerKind, string>> = {};
for (const kind of ["redis-cluster", "postgres", "mariadb"] as const) {
  if (await unavailable(kind) === undefined) urls[kind] = await sharedUrl(kind);
}

interface Finding {
  check: string;
  level: string;
  detail: string;
  fix?: string;
}

/** Runs `kv doctor --json`, and returns the findings by their check. */
async function doctor(url: string, ...args: string[]) {
  const { code, out, err } = await kv(url, ["doctor", "--json", ...args]);
  const findings = JSON.parse(out) as Finding[];
  const level = (check: string) =>
    findings.filter((it) => it.check === check).map((it) => it.level).join();
  for (const { level, fix } of findings) assertEquals(level === "ok", !fix);
  return { code, err, findings, level };
}

Deno.test("kv doctor explains each finding and its fix", async () => {
  await withDatabase(async (url) => {
    const db = new DatabaseSync(url.slice("sqlite:".length));
    db.exec("CREATE TABLE other (a)");
    db.close();
    const { code, out } = await kv(url, ["doctor"]);
    assertEquals(code, 0);
    assertMatch(out, /^warning +journal mode +delete: .*\n +→ PRAGMA journal/m);
    assertMatch(out, /^ok +round trip +median [\d.]+ ms, 99th percentile/m);
    assertMatch(out, /^ok +swap +works$/m);
  });
});

Deno.test("kv doctor --read-only changes nothing", async () => {
  await withDatabase(async (url) => {
    const path = url.slice("sqlite:".length);
    const db = new DatabaseSync(path);
    db.exec("CREATE TABLE other (a)");
    db.close();
    const before = await Deno.readFile(path);
    const { code, level } = await doctor(url, "--read-only");
    assertEquals([code, level("table"), level("write")], [0, "note", ""]);
    assertEquals(await Deno.readFile(path), before);
  });
});

Deno.test("kv doctor finds entries that cannot be decoded", async () => {
  await withDatabase(async (url) => {
    for (const part of "abc") await kv(url, ["set", "x", part, "1"]);
    const db = new DatabaseSync(url.slice("sqlite:".length));
    db.exec("UPDATE kv SET value = '{' WHERE key LIKE '%b'");
    db.close();
    const { code, findings } = await doctor(url);
    assertEquals(code, 1);
    const { detail } = findings.find((it) => it.check === "damaged entries")!;
    assertEquals(detail, "1 of the first 3 cannot be decoded, such as x b");
  });
});

Deno.test("kv doctor reports a server that is gone, also as JSON", async () => {
  for (
    const url of [
      "redis://:topsecret@127.0.0.1:1",
      "redis+cluster://:topsecret@127.0.0.1:1,127.0.0.1:2",
      "postgres://me:topsecret@127.0.0.1:1/db",
      "mysql://me:topsecret@127.0.0.1:1/db",
      "sqlite:/nonexistent/kv.db",
    ]
  ) {
    const { code, err, findings } = await doctor(url);
    assertEquals([code, err], [1, "error: 1 check failed\n"], url);
    assertEquals(findings.length, 1);
    assert(!JSON.stringify(findings).includes("topsecret"));
  }
});

Deno.test({
  name: "kv doctor finds what is wrong with a Redis",
  ignore: await unavailable("redis") !== undefined,
  async fn() {
    await using server = await startRedis({
      settings: {
        "appendonly": "no",
        "maxmemory": "100mb",
        "maxmemory-policy": "allkeys-lru",
      },
    });
    const admin = new Redis(server.url);
    await admin.hset("kv!other", "a", 1);
    const { code, level } = await doctor(server.url);
    assertEquals(code, 1);
    assertEquals(level("eviction"), "error");
    assertEquals(level("persistence"), "warning");
    assertEquals(level("foreign entries"), "warning");
    assertEquals(level("version"), "ok");
    // A user that may only read.
    await admin.call(
      ...["ACL", "SETUSER", "reader", "on", ">secret", "~*", "+@read", "+info"],
      ...["+hello", "+client", "+ping", "+time", "+scan", "+type"],
    );
    await admin.quit();
    const { host, port } = server;
    const reader = await doctor(`redis://reader:secret@${host}:${port}`);
    assertEquals(reader.level("write"), "error");
    assertMatch(
      reader.findings.find((it) => it.check === "write")!.fix!,
      /grant the rights/,
    );
    const wrong = await doctor(`redis://reader:wrong@${host}:${port}`);
    assertMatch(
      wrong.findings.find((it) => it.check === "connect")!.fix!,
      /the user and the password/,
    );
  },
});

Deno.test({
  name: "kv doctor tells a node of a Cluster from a single Redis",
  ignore: urls["redis-cluster"] === undefined,
  async fn() {
    const nodes = urls["redis-cluster"]!.split(",");
    assertEquals((await doctor(nodes[0]!)).level("cluster"), "error");
    const [first, ...others] = nodes.map((it) => it.slice("redis://".length));
    const hosts = others.map((it) => it.slice(it.indexOf("@") + 1));
    const url = `redis+cluster://${[first, ...hosts].join()}`;
    const { code, level } = await doctor(url);
    assertEquals([code, level("cluster"), level("swap")], [0, "", "ok"]);
  },
});

Deno.test({
  name: "kv doctor finds a role of PostgreSQL without rights",
  ignore: urls.postgres === undefined,
  async fn() {
    const url = urls.postgres!;
    const sql = postgres(url, { max: 1, onnotice() {}, fetch_types: false });
    const table = `doctor_${crypto.randomUUID().slice(0, 8)}`;
    try {
      const args = ["--table", table];
      const { code, level } = await doctor(url, ...args);
      assertEquals([code, level("rights")], [0, "warning"]);
      await sql.unsafe(`
        CREATE ROLE ${table} LOGIN PASSWORD 'reader';
        GRANT USAGE ON SCHEMA public TO ${table};
        GRANT SELECT ON ${table} TO ${table}`);
      const asReader = new URL(url);
      [asReader.username, asReader.password] = [table, "reader"];
      const reader = await doctor(asReader.href, ...args);
      assertEquals(reader.code, 1);
      assertMatch(
        reader.findings.find((it) => it.check === "rights")!.detail,
        /lacks INSERT, UPDATE, DELETE/,
      );
      assertEquals(reader.level("write"), "error");
      assertEquals(reader.level("list"), "ok");
    } finally {
      await sql.unsafe(`DROP TABLE IF EXISTS ${table}`);
      await sql.unsafe(`DROP OWNED BY ${table}; DROP ROLE ${table}`);
      await sql.end();
    }
  },
});

Deno.test({
  name: "kv doctor tells the settings of MariaDB",
  ignore: urls.mariadb === undefined,
  async fn() {
    const { code, level } = await doctor(urls.mariadb!);
    // The shared server of the tests does not flush its log.
    assertEquals([code, level("durability")], [0, "note"]);
    assertEquals([level("version"), level("clock")], ["ok", "ok"]);
  },
});
