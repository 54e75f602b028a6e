/** What a listing makes of the pages of a driver. */

import { assertEquals, assertRejects } from "@std/assert";
import {
  KvCorruptionError,
  KvError,
  type KvStoredEntry,
} from "../../kv/driver.ts";
import { MemoryKvStore } from "../../kv/memory.ts";
import type { KvExtendedStore, KvKey } from "../../kv/store.ts";
import { withPrefix } from "../../kv/with_prefix.ts";
import { Probe } from "./probe.ts";

class Pages extends Probe {
  constructor(
    readonly entriesOfPages: KvStoredEntry[][],
    readonly end?: Error,
  ) {
    super();
  }

  protected override async *pages(): AsyncGenerator<KvStoredEntry[]> {
    yield* await Promise.resolve(this.entriesOfPages);
    if (this.end !== undefined) throw this.end;
  }
}

async function read(kv: Probe): Promise<[string[], unknown]> {
  const parts: string[] = [];
  try {
    for await (const { key } of kv.list()) parts.push(key[0]);
  } catch (error) {
    return [parts, error];
  }
  return [parts, undefined];
}

for (const damaged of [0, 19, 39]) {
  Deno.test(`list() yields every entry before the damaged one at ${damaged} of 40`, async () => {
    const entries = Array.from({ length: 40 }, (_, i): KvStoredEntry => ({
      key: [`${i}`],
      value: i === damaged ? "{" : "1",
    }));
    const [parts, error] = await read(new Pages([entries]));
    assertEquals(parts.length, damaged);
    assertEquals((error as Error).name, KvCorruptionError.name);
    assertEquals(
      (error as Error).message.startsWith(`Cannot list ["${damaged}"]: `),
      true,
    );
  });
}

Deno.test("an entry that the driver finds damaged is reported when it is reached", async () => {
  const page: KvStoredEntry[] = [
    { key: ["a"], value: "1" },
    { key: ["b"], error: new Error("a chunk is missing") },
  ];
  const [parts, error] = await read(new Pages([page]));
  assertEquals(parts, ["a"]);
  assertEquals((error as Error).name, "KvCorruptionError");
  assertEquals(
    (error as Error).message,
    'Cannot list ["b"]: a chunk is missing',
  );
});

Deno.test("a connection that breaks during list() is not a corruption", async () => {
  const cause = new Error("connection reset");
  const kv = new Pages([[{ key: ["a"], value: "1" }]], cause);
  const [parts, error] = await read(kv);
  assertEquals(parts, ["a"]);
  assertEquals((error as Error).name, "KvError");
  assertEquals((error as Error).cause, cause);
});

Deno.test("a driver cannot store a value beyond its limit in bytes of UTF-8", async () => {
  class Small extends Probe {
    override readonly traits = {
      driver: "small",
      persistent: false,
      shared: "process" as const,
      maxValueBytes: 12,
      without: {},
    };
  }
  const kv = new Small();
  await kv.set(["a"], "1234567890");
  await assertRejects(
    () => kv.set(["a"], "ééééé1"),
    RangeError,
    'Cannot set ["a"]: value must take at most 12 bytes: received 13',
  );
  await assertRejects(() => kv.cas(["a"], "ééééé1", 1), RangeError);
  assertEquals(await kv.get(["a"]), "1234567890");
  await assertRejects(() => kv.get(["b", 1 as unknown as string]), TypeError);
  assertEquals(new KvError("x").name, "KvError");
});

for (
  const [method, action] of [
    ["list", "list"],
    ["keys", "list keys"],
    ["count", "count"],
    ["clear", "clear"],
  ] as const
) {
  Deno.test(`messages of ${method}() say what failed`, async () => {
    const run = async (
      kv: KvExtendedStore,
      prefix: KvKey,
      options?: Record<string, unknown>,
    ) => {
      if (method === "count" || method === "clear") {
        await kv[method](prefix, options);
      } else for await (const _ of kv[method](prefix, options));
    };
    const broken = new Pages([], new Error("connection reset"));
    await assertRejects(
      () => run(broken, ["a"]),
      KvError,
      `Cannot ${action} ["a"]: connection reset`,
    );
    const stores = [broken, new MemoryKvStore()];
    for (
      const kv of [
        ...stores,
        ...stores.map((kv) => withPrefix(kv, ["p"])),
      ]
    ) {
      await assertRejects(
        () => run(kv, "a" as never),
        TypeError,
        `Cannot ${action} "a": a key must be an array of strings`,
      );
      await assertRejects(
        () => run(kv, ["a"], { signal: 1 }),
        TypeError,
        `Cannot ${action}`,
      );
    }
  });
}
