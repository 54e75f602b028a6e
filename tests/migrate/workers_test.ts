// Migrating from Workers KV as Fedify's store uses it.
import { assertEquals, assertFalse } from "@std/assert";
import { WorkersKvStore } from "../../kv/workers.ts";
import { fedifyWorkersKv, migrate } from "../../migrate/mod.ts";
import { MemoryKvStore } from "../../mod.ts";
import { bundle } from "../support/worker/bundle.ts";
import { unsanitized } from "../support/worker/suite.ts";
import { Workerd } from "../support/worker/workerd.ts";
import { assertHas, entries, type Expected, inTurns } from "./entries.ts";

Deno.test({
  ...unsanitized,
  name: "every entry that Fedify wrote to Workers KV arrives, and stays there",
  async fn() {
    await using worker = await Workerd.start(
      "tests/support/worker/conformance.ts",
      { objects: { OBJECTS: "KvStoreDurableObject" } },
    );
    const namespace = await worker.kv;
    const expected: Expected = new Map();
    const some = entries(["\0"]).filter((_, i) => i % 8 === 1);
    await inTurns(some, async ({ key, value, ttl }) => {
      const name = JSON.stringify(key);
      const milliseconds = ttl?.total("milliseconds");
      const expires = milliseconds && Date.now() + milliseconds;
      await namespace.put(
        name,
        JSON.stringify(value),
        expires === undefined ? {} : {
          expirationTtl: Math.ceil(milliseconds! / 1000),
          metadata: { expires },
        },
      );
      expected.set(name, {
        value,
        ...expires === undefined ? {} : { expires },
      });
    });
    await namespace.put('["damaged"]', "{");
    await namespace.put('["no key', "1");
    await namespace.put("other", "1");
    // Our own store in the same namespace.
    const kv = new WorkersKvStore(namespace as never);
    await kv.set(["ours"], 1);

    const target = new MemoryKvStore();
    const source = fedifyWorkersKv({
      getWithMetadata: namespace.getWithMetadata.bind(namespace),
      // Smaller pages than usual, so that there are several.
      list: (options: { prefix: string }) =>
        namespace.list({ ...options, ...{ limit: 100 } }),
    } as never);
    const cursors: string[] = [];
    const summary = await migrate(source, target, {
      verify: true,
      onCheckpoint: (cursor) => void cursors.push(cursor),
    });
    assertEquals(summary.different, []);
    assertEquals(
      summary.skippedEntries.map(({ key }) => `${key}`).sort(),
      ['["no key', "damaged"],
    );
    await assertHas(target, expected, 1);

    const rest = new MemoryKvStore();
    await migrate(source, rest, { after: cursors[0]! });
    assertEquals(cursors.length, Math.ceil((expected.size + 2) / 100) - 1);
    assertEquals(await rest.count() < expected.size, true);
    assertEquals(await rest.count() >= expected.size - 100, true);

    const own = await migrate(source, kv, { prefix: ["_fedify"] });
    assertEquals(await kv.count(["_fedify"]), own.written);
  },
});

Deno.test("a worker that migrates needs no module of Node", async () => {
  const script = await bundle("migrate/mod.ts");
  assertFalse(/^import .*["']node:/m.test(script));
});
