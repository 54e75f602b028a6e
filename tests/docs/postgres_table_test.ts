// The worked example of a driver over a network passes the conformance suite.
import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import postgres from "postgres";
import { TableKvStore } from "../../examples/postgres_table.ts";
import { KvError, KvOutcomeUnknownError } from "../../kv/errors.ts";
import { sharedUrl, unavailable } from "../../servers/mod.ts";
import { isFull } from "../support/extent.ts";
import { conformance, FaultProxy } from "../../testing/mod.ts";

const reason = await unavailable("postgres");
const url = reason === undefined ? await sharedUrl("postgres") : "";

/** A client of a schema with an empty database in it. */
async function open(port?: number) {
  const schema = crypto.randomUUID();
  const options = {
    max: 2,
    fetch_types: false,
    onnotice: () => {},
    connection: { search_path: schema },
  };
  const sql = postgres(url, options);
  await sql`CREATE SCHEMA ${sql(schema)}`;
  const cut = port === undefined
    ? sql
    : postgres(url, { ...options, port, max: 1, backoff: () => 0.001 });
  return {
    sql,
    store: new TableKvStore(cut),
    peer: () => new TableKvStore(sql),
    async close() {
      await sql`DROP SCHEMA ${sql(schema)} CASCADE`;
      await sql.end();
      if (cut !== sql) await cut.end({ timeout: 0.1 });
    },
  };
}

conformance({
  name: "TableKvStore",
  test: reason === undefined && isFull ? Deno.test : Deno.test.ignore,
  open: () => open(),
});

Deno.test({
  name: "TableKvStore never answers wrong when its connection is cut",
  ignore: reason !== undefined,
  async fn() {
    await using proxy = await FaultProxy.start(Number(new URL(url).port));
    const { store, peer, close } = await open(proxy.port);
    const reader = peer();
    await store.set(["n"], 0);
    let current = 0;
    const seen = new Set<string>();
    for (let round = 0; proxy.cuts < 20; round++) {
      // So that the cut meets the statement, and not the connection's start.
      await store.cas(["n"], -1, -2).catch(() => {});
      proxy.next = round % 2 === 0 ? "request" : "answer";
      let outcome: unknown;
      try {
        outcome = await store.cas(["n"], current, current + 1);
      } catch (error) {
        assertInstanceOf(error, KvError);
        outcome = error.constructor;
      }
      proxy.next = "none";
      const value = await reader.get<number>(["n"]);
      const made = value === current + 1;
      assert(made || value === current);
      if (outcome !== KvOutcomeUnknownError) assertEquals(outcome, made);
      seen.add(`${outcome === KvOutcomeUnknownError}, ${made}`);
      current = value!;
    }
    assert(seen.has("true, true"));
    await close();
  },
});
