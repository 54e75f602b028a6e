// The statements find their rows by indexes.
import { Buffer } from "node:buffer";
import { assert, assertEquals } from "@std/assert";
import { type Form, pageStatement, statementsOn } from "../../kv/mysql/sql.ts";
import { KeyLimit } from "../../kv/core/long_key.ts";
import type { Bound } from "../../kv/sql/range.ts";
import { numbersTo, testOnMysql } from "./clients.ts";

const KEYS = ["b!1", "b!2", "b!3", "b!4"].map((key) => Buffer.from(key));
const [key] = KEYS;
const VALUES = KEYS.map(() => Buffer.from("1"));
const LIFE = [null, null];

/** Every statement that looks for rows, with some parameters. */
function* searches(
  table: string,
): Generator<[name: string, statement: string, parameters: unknown[]]> {
  const statement = statementsOn(table);
  const forms: [Form, number, unknown[]][] = [
    ["read", 1, [key]],
    ["reads", 4, KEYS],
    ["delete", 1, [key]],
    ["delete", 4, KEYS],
    [
      "swap",
      1,
      [1, 1, ...LIFE, ...LIFE, VALUES[0], ...LIFE, key, VALUES[0]],
    ],
    ["swap", 4, [
      ...[1, 1, ...KEYS, ...LIFE, ...LIFE, ...KEYS, ...VALUES, ...LIFE],
      ...[...KEYS, ...KEYS, ...VALUES],
    ]],
    ["remove", 1, [key, VALUES[0]]],
    ["due", 64, [0]],
    ["sweep", 4, KEYS],
    ["postpone", 4, KEYS],
  ];
  for (const [form, length, parameters] of forms) {
    yield [`${form} ${length}`, statement(form, length, 1), parameters];
  }
  const { first, last } = KeyLimit.digests;
  const prefix: [Bound, string][] = [["key >=", "b"], ["key <", 'b"']];
  const shortened: [Bound, string][] = [
    ["key >=", `b!${first}`],
    ["key <", `b!${last}`],
    ["full_key >=", "b!x"],
    ["full_key <", 'b!x"'],
  ];
  const ranges: [Bound, string][][] = [[["key >=", ""]], prefix, shortened];
  for (const bounds of ranges) {
    for (const reverse of [false, true]) {
      yield [
        `page ${bounds.length} ${reverse}`,
        pageStatement(table, bounds, reverse, 1_024, 64),
        bounds.map(([, value]) => Buffer.from(value)),
      ];
    }
  }
}

testOnMysql("every search uses an index", async (it) => {
  const { store, sql, open, table } = it;
  await store.get(["make", "the", "table"]);
  await sql(`INSERT INTO ${table} (\`key\`, value, expires, due)
    SELECT CONCAT('b!', seq), '1', 9e13 + seq, seq FROM ${numbersTo(5_000)}`);
  await sql(`ANALYZE TABLE ${table}`);
  // MySQL 9 explains as a tree unless told otherwise; MariaDB skips the comment.
  const explained = "SET SESSION sql_mode = @@sql_mode " +
    "/*!80032 , SESSION explain_format = 'TRADITIONAL' */";
  const pool = open({ setUp: [explained] }).promise();
  for (const [name, statement, parameters] of searches(table)) {
    const [rows] = await pool.execute(
      `EXPLAIN ${statement}`,
      parameters as string[],
    );
    assertEquals((rows as unknown[]).length, 1, name);
    for (const row of rows as { type: string | null; key: string }[]) {
      const shown = `${name}: ${JSON.stringify(row)}`;
      assert(["range", "const"].includes(row.type!), shown);
      assertEquals(row.key, name.startsWith("due") ? "due" : "PRIMARY", shown);
    }
  }
});
