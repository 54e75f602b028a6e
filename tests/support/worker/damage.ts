/**
 * A worker that damages what Durable Objects hold, and reads it.
 *
 * @module
 */

import {
  type DurableObjectKvNamespace,
  DurableObjectKvStore,
  KvStoreDurableObject,
  type KvStoreDurableObjectState,
} from "../../../kv/durable_object.ts";
import { encodeKey } from "../../../kv/core/key.ts";
import { encodeValue } from "../../../kv/core/value.ts";
import type { KvKey } from "../../../kv/store.ts";
import { mutate, pick, randomOf } from "../mutations.ts";

interface Env {
  readonly OBJECTS: DurableObjectKvNamespace;
}

/** An object whose database can be written by anyone. */
export class DamagedObject extends KvStoreDurableObject {
  /** The base class of the runtime has it. */
  declare readonly ctx: KvStoreDurableObjectState;

  #alarms = 0;

  override alarm(): Promise<void> {
    this.#alarms++;
    return super.alarm();
  }

  /** Lets the alarm fire now. */
  ring(): Promise<void> {
    return this.ctx.storage.setAlarm(Date.now());
  }

  /** How many alarms fired, and how long until the next one. */
  async alarms(): Promise<[fired: number, delay: number | null]> {
    const alarm = await this.ctx.storage.getAlarm();
    return [this.#alarms, alarm && alarm - Date.now()];
  }

  /** Runs statements, and returns the rows of each. */
  sql(statements: [query: string, ...bindings: unknown[]][]): unknown[][][] {
    return statements.map(([query, ...bindings]) =>
      this.ctx.storage.sql.exec(query, ...bindings).raw().toArray()
    );
  }
}

const originals: readonly unknown[] = [
  null,
  { name: "Ærøskøbing", tags: ["a", "b"], at: 1_700_000_000_000 },
  { text: "x".repeat(3_000) },
  [1n, new Date(0), new Map([["a", new Set([1])]]), NaN],
  new Uint8Array(500).fill(7),
];

/** What a call led to, for a comparison: a value, or the damaged key. */
type Outcome = { value: unknown } | { damaged: true };

async function outcome(key: KvKey, value: Promise<unknown>): Promise<Outcome> {
  try {
    return { value: await value };
  } catch (error) {
    const { name, message } = error as Error;
    if (name === "KvCorruptionError" && message.includes(JSON.stringify(key))) {
      return { damaged: true };
    }
    throw error;
  }
}

/** Damages as many entries as told, and tells what each became. */
async function random(
  kv: DurableObjectKvStore,
  object: DamagedObject,
  parameters: URLSearchParams,
): Promise<Record<string, number>> {
  const random = randomOf(Number(parameters.get("seed")));
  const counts = { right: 0, damaged: 0, other: 0 };
  const entries = Array.from(
    { length: Number(parameters.get("times")) },
    (_, i) => ({
      key: ["victim", `${i}`] as const,
      neighbour: ["victim", `${i} neighbour`] as const,
      value: pick(random, originals),
    }),
  );
  await Promise.all(entries.flatMap(({ key, neighbour, value }) => [
    kv.set(key, value),
    kv.set(neighbour, value),
  ]));
  await object.sql(entries.map(({ key, value }) => [
    `UPDATE kv SET value = ? WHERE key = ?`,
    random() < 0.05
      ? pick(random, [0, 1.5, -1, Infinity])
      : mutate(random, encodeValue(value)!),
    encodeKey(key),
  ]));
  for (const { key, neighbour, value } of entries) {
    const [found, listed, other] = await Promise.all([
      outcome(key, kv.get(key)),
      outcome(key, Array.fromAsync(kv.list(key)).then(([each]) => each?.value)),
      kv.get(neighbour),
    ]);
    const json = (value: unknown) => String(encodeValue({ value }));
    if (json(found) !== json(listed)) throw new Error(`list differs: ${key}`);
    if (json(other) !== json(value)) throw new Error(`neighbour of ${key}`);
    if ("damaged" in found) {
      counts.damaged++;
      const swap = await outcome(key, kv.cas(key, value, 1));
      if (!("damaged" in swap)) throw new Error(`cas() swapped ${key}`);
    } else {
      counts[json(found.value) === json(value) ? "right" : "other"]++;
      // A row whose text is not UTF-8 may be damaged for cas() alone.
      await outcome(key, kv.cas(key, found.value, found.value));
    }
    await kv.set(key, value);
    if (json(await kv.get(key)) !== json(value)) throw new Error(`set ${key}`);
  }
  return counts;
}

export default {
  async fetch(request: Request, { OBJECTS }: Env): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    const [name, action] = pathname.slice(1).split("/") as [string, string];
    const kv = new DurableObjectKvStore(OBJECTS, { name });
    const object = OBJECTS.get(
      OBJECTS.idFromName(`1/1 ${name}`),
    ) as DamagedObject;
    const key = searchParams.getAll("key") as unknown as KvKey;
    const value = searchParams.get("value") ?? "value";
    const times = Number(searchParams.get("times") ?? 1);
    const actions: Record<string, () => Promise<unknown>> = {
      random: () => random(kv, object, searchParams),
      sql: async () => await object.sql(await request.json()),
      get: () => kv.get(key),
      set: () => kv.set(key, value.repeat(times)),
      delete: () => kv.delete(key),
      cas: () => kv.cas(key, value, "swapped"),
      ring: async () => await object.ring(),
      expire: () => kv.set(key, value, { ttl: times }),
      alarms: async () => await object.alarms(),
      async list() {
        const keys: KvKey[] = [];
        try {
          for await (const { key } of kv.list()) keys.push(key);
        } catch (error) {
          return [...keys, String(error)];
        }
        return keys;
      },
    };
    try {
      return Response.json(await actions[action]!() ?? null);
    } catch (error) {
      return Response.json(String(error), { status: 500 });
    }
  },
};
