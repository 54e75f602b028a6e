// The statements use the indexes, and take few round trips.
import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import type postgres from "postgres";
import { KeyLimit } from "../../kv/core/long_key.ts";
import { PostgresStatements } from "../../kv/postgres/sql.ts";
import type { Bound } from "../../kv/sql/range.ts";
import { testOnPostgres } from "./clients.ts";

/** Every prepared statement that looks for rows, with some parameters. */
function* searches(
  statements: PostgresStatements,
): Generator<[name: string, statement: string, parameters: string[]]> {
  const { read, delete: simpleDelete, swap, remove } = statements;
  const key = "'k!000001'";
  const keys = "'k!000001\nk!000002\nk!000003'";
  const values = "'1\n2\n3'";
  yield ["get()", read.single, [key]];
  yield ["many get()", read.batch, [keys]];
  yield ["delete()", simpleDelete.single, [key]];
  yield ["many delete()", simpleDelete.batch, [keys]];
  yield ["cas()", swap.single, [key, "'1'", "'2'", "NULL"]];
  yield ["many cas()", swap.batch, [keys, values, values, "'\n\n'"]];
  yield ["cas() that deletes", remove.single, [key, "'1'"]];
  yield ["many cas() that delete", remove.batch, [keys, values]];
  for (const reverse of [false, true]) {
    for (const keysOnly of [false, true]) {
      const page = (bounds: Bound[]) =>
        statements.page({ bounds, reverse, keysOnly });
      const limits = ["'100'", "'9'"];
      const name = Deno.inspect({ reverse, keysOnly });
      const range: Bound[] = ["key >=", "key <"];
      yield [`list() of a prefix ${name}`, page(range), [
        ...limits,
        "'k'",
        "'k\"'",
      ]];
      yield [`list() of all ${name}`, page(["key >="]), [...limits, "''"]];
      const { first, last } = KeyLimit.digests;
      yield [
        `list() of shortened keys ${name}`,
        page([...range, "full_key >=", "full_key <"]),
        [...limits, `'k!${first}'`, `'k!${last}'`, "'k!a'", "'k!a\"'"],
      ];
    }
  }
}

/** How the server would execute a statement, whatever its parameters. */
async function planOf(
  sql: postgres.ReservedSql,
  statement: string,
  parameters: string[],
): Promise<string> {
  const given = parameters.length === 0 ? "" : `(${parameters.join(", ")})`;
  await sql.unsafe(`PREPARE planned AS ${statement}`);
  const rows = await sql.unsafe(`EXPLAIN EXECUTE planned${given}`).values();
  await sql.unsafe("DEALLOCATE planned");
  return rows.join("\n");
}

function assertIndexed(name: string, plan: string): void {
  assert(!plan.includes("Seq Scan"), `${name}:\n${plan}`);
  assert(plan.includes("Index"), `${name}:\n${plan}`);
}

async function assertSearchesIndexed(
  sql: postgres.Sql,
  statements: PostgresStatements,
): Promise<void> {
  const reserved = await sql.reserve();
  try {
    for (const mode of ["force_generic_plan", "force_custom_plan"]) {
      await reserved.unsafe(`SET plan_cache_mode = ${mode}`);
      for (const [name, statement, parameters] of searches(statements)) {
        const plan = await planOf(reserved, statement, parameters);
        assertIndexed(`${name}, ${mode}`, plan);
      }
    }
    await reserved.unsafe("RESET plan_cache_mode");
  } finally {
    reserved.release();
  }
}

testOnPostgres(
  "every search uses an index, be the table empty or large",
  async ({ sql, store, observe, tableName }) => {
    const table = `"${tableName}"`;
    const statements = new PostgresStatements(table);
    await store.get(["make", "the", "table"]);
    await assertSearchesIndexed(sql, statements);

    await sql.unsafe(`INSERT INTO ${table} (key, value, expires, due)
    SELECT 'k!' || to_char(i, 'FM000000'), '"value ' || i || '"',
      CASE i % 2 WHEN 1 THEN i END, CASE i % 2 WHEN 1 THEN i END
    FROM generate_series(1, 200000) AS i`);
    await sql.unsafe(`ANALYZE ${table}`);
    await assertSearchesIndexed(sql, statements);
    for (const parameters of [["500"], ["500", "1000"]]) {
      const statement = statements.sweep(parameters.length === 1);
      const sweep = await sql.unsafe(`EXPLAIN ${statement}`, parameters)
        .values();
      assertIndexed("a sweep", sweep.join("\n"));
    }

    // An index of 200,000 keys is some three blocks deep.
    const set = ["'k!000002'", "'3'", "NULL", "NULL"];
    assertLessOrEqual(await blocksOf(sql, statements.set.single, set), 30);

    const { store: lister, sent } = observe();
    let entries = 0;
    for await (const _ of lister.list(["k"])) entries++;
    assertEquals(entries, 100_000);
    assertEquals(Math.max(...sent.map(({ rows }) => rows ?? 0)), 1_000);
  },
);

/** How many blocks of 8 KiB the server touches. */
async function blocksOf(
  sql: postgres.Sql,
  statement: string,
  parameters: string[],
): Promise<number> {
  const given = parameters.length === 0 ? "" : `(${parameters.join(", ")})`;
  const reserved = await sql.reserve();
  try {
    await reserved.unsafe(`PREPARE counted AS ${statement}`);
    const rows = await reserved.unsafe(
      `EXPLAIN (ANALYZE, BUFFERS) EXECUTE counted${given}`,
    ).values();
    await reserved.unsafe("DEALLOCATE counted");
    // The first line with blocks counts those of the whole plan.
    const [line] = /Buffers: .*/.exec(rows.join("\n"))!;
    let blocks = 0;
    for (const [, n] of line.matchAll(/(?:hit|read)=(\d+)/g)) {
      blocks += Number(n);
    }
    return blocks;
  } finally {
    reserved.release();
  }
}
