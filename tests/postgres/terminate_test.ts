// Calls keep settling while the server terminates their connections.

import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import postgres from "postgres";
import { KvError } from "../../kv/errors.ts";
import { PostgresKvStore } from "../../kv/postgres.ts";
import type { KvKey } from "../../kv/store.ts";
import { testOnPostgres, url } from "./clients.ts";

/** How many calls are made on each pool. */
const CALLS = Number(Deno.env.get("KV_TEST_CALLS") ?? 3_000);

/** How long a call may take: far longer than any of them does. */
const DEADLINE = 20_000;

for (const max of [1, 2, 4, 10]) {
  testOnPostgres(
    `every call settles while backends are terminated (max: ${max})`,
    async ({ sql, tableName }) => {
      const name = `terminated ${max} ${crypto.randomUUID()}`;
      const client = postgres(url, {
        max,
        fetch_types: false,
        backoff: () => 0.001,
        connect_timeout: 2,
        connection: { application_name: name },
      });
      const store = new PostgresKvStore(client, { tableName });
      await store.set(["warm", "up"], 1);
      let calls = 0;
      let failed = 0;
      let hung = 0;
      let ended = 0;
      async function settle(call: Promise<unknown>): Promise<void> {
        const late = Promise.withResolvers<void>();
        const timer = setTimeout(() => (hung++, late.resolve()), DEADLINE);
        await Promise.race([
          late.promise,
          call.then(() => {}, (error) => {
            assertInstanceOf(error, KvError);
            failed++;
          }),
        ]);
        clearTimeout(timer);
      }
      const callers = Array.from({ length: 24 }, async (_, caller) => {
        for (let i = 0; calls < CALLS && hung === 0; i++) {
          calls += 4;
          const key: KvKey = ["k", `${caller % 12}`, `${i % 3}`];
          await Promise.all([
            settle(store.get(key)),
            settle(store.set(key, i)),
            settle(store.get(["k", `${(caller + 1) % 12}`, "0"])),
            settle(store.cas(key, i, i + 1)),
          ]);
        }
      });
      let running = true;
      const terminating = (async () => {
        while (running) {
          const rows = await sql`SELECT pg_terminate_backend(pid)
            FROM pg_stat_activity WHERE application_name = ${
            name.slice(0, 63)
          }`;
          ended += rows.length;
          await new Promise((resolve) =>
            setTimeout(resolve, 20 + Math.random() * 60)
          );
        }
      })();
      await Promise.all(callers);
      running = false;
      await terminating;
      for (let i = 0; i < 2 * max; i++) await settle(store.get(["k"]));
      assertEquals(hung, 0);
      assert(ended > 0 && failed > 0, "no connection was in use");
      await settle(store.set(["after"], max));
      assertEquals(await store.get(["after"]), max);
      await client.end({ timeout: 1 });
    },
  );
}
