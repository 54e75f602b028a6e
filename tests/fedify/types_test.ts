// One class is the `KvStore` of every Fedify: this file need only type-check.
import type { KvStore as KvStore1_0_0 } from "@fedify/fedify-1.0.0";
import type { KvStore as KvStore1_5_9 } from "@fedify/fedify-1.5.9";
import type { KvStore as KvStore1_8_8 } from "@fedify/fedify-1.8.8";
import type { KvStore as KvStore1_10_12 } from "@fedify/fedify-1.10.12";
import type { KvStore as KvStore2_3_6 } from "@fedify/fedify";
import { assertEquals } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import type { DurableObjectKvStore } from "../../kv/durable_object.ts";
import type { WorkersKvStore } from "../../kv/workers.ts";
import {
  DenoKvStore,
  type KvStore,
  MemoryKvStore,
  type MysqlKvStore,
  type PostgresKvStore,
  type RedisKvStore,
  SqliteKvStore,
} from "../../mod.ts";

type EveryKvStore =
  & KvStore1_0_0
  & KvStore1_5_9
  & KvStore1_8_8
  & KvStore1_10_12
  & KvStore2_3_6;
type EveryCasKvStore = EveryKvStore & Required<Pick<KvStore2_3_6, "cas">>;

/** Fails to type-check if one of them does not fit. */
export function fit(
  stores: [RedisKvStore, PostgresKvStore, MysqlKvStore, DurableObjectKvStore],
  withoutCas: WorkersKvStore,
): [EveryCasKvStore[], EveryKvStore] {
  return [stores, withoutCas];
}

Deno.test("every store is a KvStore of Fedify 1.0.0 to 2.3.6", async () => {
  using db = new DatabaseSync(":memory:");
  using kv = await Deno.openKv(":memory:");
  const stores: (EveryCasKvStore & KvStore)[] = [
    new MemoryKvStore(),
    new SqliteKvStore(db),
    new DenoKvStore(kv),
  ];
  for (const store of stores) {
    await store.set(["a"], 1, { ttl: Temporal.Duration.from({ minutes: 1 }) });
    assertEquals(await store.get<number>(["a"]), 1);
  }
});
