// The conformance suite on PostgreSQL by Bun.SQL, in Bun.
import { assert, assertEquals } from "@std/assert";
import { cases } from "../../testing/mod.ts";
import { Runtime } from "../sqlite/clients/runtime.ts";
import { reason, url } from "./clients.ts";

Deno.test({
  name: `PostgresKvStore on Bun.SQL keeps the contract${
    reason === undefined ? "" : ` (${reason})`
  }`,
  ignore: reason !== undefined,
  async fn(t) {
    let bun: Runtime;
    try {
      bun = await Runtime.install("bun");
    } catch (error) {
      if (Deno.env.get("CI") === "true") throw error;
      const { message } = error as Error;
      await t.step({ name: `no Bun: ${message}`, ignore: true, fn() {} });
      return;
    }
    await using _ = bun;
    await bun.bundle("bun_sql.ts");
    const output = await bun.runProgram([], { KV_TEST_URL: url });
    const results = output.trim().split("\n").map((line) => JSON.parse(line));
    assertEquals(results.filter(({ error }) => error !== undefined), []);
    assert(results.length > cases.length);
  },
});
