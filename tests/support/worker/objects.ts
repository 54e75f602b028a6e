/**
 * A worker that does to a `DurableObjectKvStore` what a request says.
 *
 * @module
 */

import {
  type DurableObjectKvNamespace,
  DurableObjectKvStore,
  KvStoreDurableObject,
  type KvStoreDurableObjectState,
} from "../../../kv/durable_object.ts";
import { objectName } from "../../../kv/durable_object/shards.ts";

/** What is in an object. */
export interface Inspection {
  readonly entries: number;
  readonly chunks: number;
  /** When the alarm is due, in milliseconds from now. */
  readonly alarm: number | null;
}

interface Env {
  readonly OBJECTS: DurableObjectKvNamespace;
}

/** An object that can be looked into, and that breaks when it is told to. */
export class InspectedObject extends KvStoreDurableObject {
  /** Which the base class of the runtime has. */
  declare readonly ctx: KvStoreDurableObjectState & {
    readonly storage: {
      get(key: string): Promise<unknown>;
      put(key: string, value: unknown): Promise<void>;
      sync(): Promise<void>;
      deleteAll(): Promise<void>;
    };
    abort(reason: string): void;
  };

  /** What is in the object. */
  async inspect(): Promise<Inspection> {
    const alarm = await this.ctx.storage.getAlarm();
    return {
      entries: this.#count("kv"),
      chunks: this.#count("kv_chunks"),
      alarm: alarm === null ? null : alarm - Date.now(),
    };
  }

  #count(table: string): number {
    return this.ctx.storage.sql.exec(`SELECT count(*) FROM ${table}`)
      .raw().toArray()[0]![0] as number;
  }

  /** Has the alarm go off now. */
  async ring(): Promise<void> {
    await this.ctx.storage.setAlarm(Date.now());
  }

  /** Frees the storage, as Cloudflare's documentation says. */
  async empty(): Promise<void> {
    await this.ctx.storage.deleteAll();
  }

  /** When the alarm is due, whatever else is there. */
  due(): Promise<number | null> {
    return this.ctx.storage.getAlarm();
  }

  /** The names of the tables. */
  tables(): string[] {
    return this.ctx.storage.sql.exec(
      "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'kv%'",
    ).raw().toArray().map(([name]) => name as string);
  }

  /** Damages what is stored under a key. */
  damage(id: string): void {
    this.ctx.storage.sql.exec("UPDATE kv SET value = '{' WHERE key = ?", id);
  }

  #pageBytes = 0;

  /** About how many bytes the largest page took. */
  pageBytes(): number {
    return this.#pageBytes;
  }

  override async kvPage(
    ...parameters: Parameters<KvStoreDurableObject["kvPage"]>
  ): ReturnType<KvStoreDurableObject["kvPage"]> {
    const page = await super.kvPage(...parameters);
    if (parameters[0].keysOnly) {
      if (page.rows.some((row) => "value" in row)) throw new Error("a value");
    }
    const sizes = page.rows.map((row) =>
      "value" in row ? row.value?.length ?? 0 : 0
    );
    const bytes = sizes.reduce((sum, size) => sum + size, 0);
    this.#pageBytes = Math.max(this.#pageBytes, bytes);
    return page;
  }

  override async kvExecute(
    ...parameters: Parameters<KvStoreDurableObject["kvExecute"]>
  ): ReturnType<KvStoreDurableObject["kvExecute"]> {
    const answer = await super.kvExecute(...parameters);
    const { id } = parameters[0][0]!;
    const { storage } = this.ctx;
    if (id === "abort") this.ctx.abort("told to break");
    if (id === 'abort"Conce' && !await storage.get("is broken")) {
      await storage.put("is broken", true);
      await storage.sync();
      this.ctx.abort("told to break");
    }
    return answer;
  }
}

const actions: Record<
  string,
  (kv: DurableObjectKvStore, parameters: URLSearchParams) => Promise<unknown>
> = {
  /** Creates an entry as often as told; how often that succeeded. */
  async create(kv, parameters) {
    const attempts = Array.from(
      { length: Number(parameters.get("times")) },
      () => kv.cas(["leader"], undefined, crypto.randomUUID()),
    );
    return (await Promise.all(attempts)).filter(Boolean).length;
  },

  /** Increments a counter as often as told; how many attempts that took. */
  async increment(kv, parameters) {
    let attempts = 0;
    for (let done = 0; done < Number(parameters.get("times"));) {
      const value = await kv.get<number>(["counter"]) ?? 0;
      attempts++;
      const expected = value === 0 ? undefined : value;
      if (await kv.cas(["counter"], expected, value + 1)) done++;
    }
    return attempts;
  },

  get: (kv, parameters) => kv.get([parameters.get("key")!]),

  set: (kv, parameters) => kv.set([parameters.get("key")!], "value"),

  /** Writes entries with a TTL, one of them large. */
  expiring: (kv, parameters) => {
    const ttl = Number(parameters.get("ttl"));
    const large = kv.set(["expiring"], "x".repeat(3_000_000), { ttl });
    const small = Array.from(
      { length: Number(parameters.get("times")) },
      (_, i) => kv.set(["expiring", `${i}`], i, { ttl }),
    );
    return Promise.all([large, ...small]);
  },

  /** Writes, swaps and deletes a large value. */
  async large(kv, parameters) {
    const text = "é".repeat(Number(parameters.get("bytes")) / 2 - 1);
    await kv.set(["large"], text);
    const found = await kv.get(["large"]) === text;
    return [
      found,
      await kv.cas(["large"], `${text.slice(1)}e`, "small"),
      await kv.cas(["large"], text, `${text.slice(1)}è`),
    ];
  },

  /** Reads more at once than one answer can carry. */
  async gets(kv, parameters) {
    const keys = Array.from(
      { length: Number(parameters.get("times")) },
      (_, i) => ["many", `${i}`] as const,
    );
    const value = "x".repeat(Number(parameters.get("bytes")));
    for (const key of keys) await kv.set(key, value);
    const found = await Promise.all(keys.map((key) => kv.get(key)));
    return found.every((each) => each === value);
  },

  /** Reads a damaged entry in every way, next to an intact one. */
  async damaged(kv) {
    await kv.set(["well"], 1);
    const outcomes = await Promise.allSettled([
      kv.get(["damaged"]),
      kv.cas(["damaged"], 1, 2),
      kv.get(["well"]),
    ]);
    return outcomes.map((each) =>
      each.status === "fulfilled" ? each.value : each.reason.name
    );
  },

  /** Writes values of 1 MB after small ones, and counts what a list yields. */
  async pages(kv, parameters) {
    const times = Number(parameters.get("times"));
    for (let i = 0; i < times; i++) {
      await Promise.all(
        Array.from({ length: 50 }, (_, j) => kv.set(["a", `${i}`, `${j}`], j)),
      );
      await kv.set(["b", `${i}`], "x".repeat(1_000_000));
    }
    let listed = 0;
    let bytes = 0;
    for await (const { value } of kv.list()) {
      listed++;
      bytes += typeof value === "string" ? value.length : 0;
    }
    return [listed, bytes];
  },

  /** Lists in every way; says what differs from one list of all. */
  async order(kv) {
    const keys = Array.from({ length: 300 }, (_, i) => {
      const part = String(i % 100).padStart(3, "0");
      return i < 100 ? ["a", part] as const : ["b", part, `${i}`] as const;
    });
    await Promise.all(
      keys.map((key, i) => kv.set(key, i % 50 === 0 ? "x".repeat(700_000) : i)),
    );
    await kv.set(["b", "expiring"], 1, { ttl: 600_000 });
    const all = await Array.fromAsync(kv.list());
    const faults: string[] = [];
    const expect = async (
      name: string,
      found: AsyncIterable<unknown>,
      expected: unknown[],
    ) => {
      const text = JSON.stringify(await Array.fromAsync(found));
      if (text !== JSON.stringify(expected)) faults.push(name);
    };
    const back = all.toReversed();
    const isB = ({ key }: { key: readonly string[] }) => key[0] === "b";
    await expect("reverse", kv.list([], { reverse: true }), back);
    await expect("b", kv.list(["b"], { reverse: true }), back.filter(isB));
    for (const i of [0, 1, 99, 150, 299]) {
      const after = all[i]!.key;
      await expect(`after ${i}`, kv.list([], { after }), all.slice(i + 1));
      await expect(
        `before ${i}`,
        kv.list([], { after, reverse: true, limit: 40 }),
        all.slice(0, i).reverse().slice(0, 40),
      );
    }
    await expect(
      "keys",
      kv.keys(["b"], { reverse: true, limit: 70 }),
      back.filter(isB).slice(0, 70).map(({ key, expires }) => ({
        key,
        ...expires === undefined ? {} : { expires },
      })),
    );
    const expires = all.at(-1)!.expires! - Date.now();
    if (!(expires > 0 && expires <= 600_000)) faults.push(`${expires}`);
    if (await kv.count(["a"]) !== 100) faults.push("count");
    await Promise.all(
      keys.slice(0, 30).map((key) => kv.set(key, 1, { ttl: 1 })),
    );
    await new Promise((resolve) => setTimeout(resolve, 5));
    const swept = await kv.sweep();
    if (swept !== 30) faults.push(`swept ${swept}`);
    if (await kv.clear() !== 271) faults.push("clear");
    if (await kv.count() !== 0) faults.push("count after clear");
    await kv.check();
    return faults;
  },

  async list(kv) {
    return (await Array.fromAsync(kv.list())).map(({ key }) => key);
  },
};

export default {
  async fetch(request: Request, { OBJECTS }: Env): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    const [name, action] = pathname.slice(1).split("/").map(
      decodeURIComponent,
    ) as [string, string];
    const shards = Number(searchParams.get("shards") ?? 1);
    const object = OBJECTS.get(
      OBJECTS.idFromName(`1/1 ${name}`),
    ) as InspectedObject;
    try {
      const kv = new DurableObjectKvStore(OBJECTS, {
        name,
        shards,
        ...JSON.parse(searchParams.get("options") ?? "{}"),
      });
      if (action === "inspect") return Response.json(await object.inspect());
      if (action === "ring") return Response.json(await object.ring() ?? null);
      if (action === "pageBytes") {
        const objects = Array.from({ length: shards }, (_, i) =>
          OBJECTS.get(
            OBJECTS.idFromName(objectName(name, i, shards)),
          ) as InspectedObject);
        const bytes = await Promise.all(
          objects.map((each) => each.pageBytes()),
        );
        return Response.json(bytes.reduce((sum, each) => sum + each));
      }
      if (action === "due") return Response.json(await object.due());
      if (action === "tables") return Response.json(await object.tables());
      if (action === "empty") {
        return Response.json(await object.empty() ?? null);
      }
      if (action === "damage") {
        return Response.json(await object.damage("damaged") ?? null);
      }
      const result = await actions[action]!(kv, searchParams);
      return Response.json(result ?? null);
    } catch (error) {
      const { name, message } = error as Error;
      return Response.json({ name, message }, { status: 500 });
    }
  },
};
