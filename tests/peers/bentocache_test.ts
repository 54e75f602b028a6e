// Bentocache's driver suite on our stores, through a driver of a few lines.
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { registerCacheDriverTestSuite } from "bentocache/test_suite";
import type { KvKey, KvStore } from "../../kv/store.ts";
import { kinds } from "./stores.ts";

/** A driver of Bentocache; an item `a:b` is the entry `[...prefix, "a", "b"]`. */
class KvDriver {
  type = "l2";

  constructor(readonly kv: KvStore, readonly prefix: KvKey) {}

  namespace(name: string): KvDriver {
    return new KvDriver(this.kv, this.#keyOf(name));
  }

  async get(key: string): Promise<string | undefined> {
    return await this.kv.get<string>(this.#keyOf(key));
  }

  async pull(key: string): Promise<string | undefined> {
    const [value] = await Promise.all([this.get(key), this.delete(key)]);
    return value;
  }

  async set(key: string, value: string, ttl?: number): Promise<boolean> {
    await this.kv.set(this.#keyOf(key), value, { ttl });
    return true;
  }

  async delete(key: string): Promise<boolean> {
    const [value] = await Promise.all([
      this.get(key),
      this.kv.delete(this.#keyOf(key)),
    ]);
    return value !== undefined;
  }

  async deleteMany(keys: string[]): Promise<boolean> {
    await Promise.all(keys.map((key) => this.delete(key)));
    return true;
  }

  async clear(): Promise<void> {
    for await (const { key } of this.kv.list(this.prefix)) {
      await this.kv.delete(key);
    }
  }

  disconnect(): Promise<void> {
    return Promise.resolve();
  }

  #keyOf(key: string): KvKey {
    return [...this.prefix, ...key.split(":")];
  }
}

interface JapaContext {
  assert: Record<string, (actual: unknown, expected?: unknown) => void>;
  cleanup(fn: () => Promise<void>): void;
}

type Hook = () => Promise<void> | void;

for (const kind of kinds) {
  const name = `Bentocache's driver suite on ${kind.name}`;
  Deno.test({
    name: kind.reason === undefined ? name : `${name} (${kind.reason})`,
    ignore: kind.reason !== undefined,
    async fn(test) {
      const { store, close } = kind.open();
      const cases: [string, (context: JapaContext) => Promise<void>][] = [];
      let setUp: () => Promise<Hook> = () => Promise.resolve(() => {});
      let tearDownEach: Hook = () => {};
      registerCacheDriverTestSuite({
        test: ((name: string, fn: typeof cases[0][1]) =>
          cases.push([name, fn])) as never,
        group: {
          setup: (hook: typeof setUp) =>
            setUp = hook,
          tap() {},
          each: { teardown: (hook: Hook) => tearDownEach = hook },
        } as never,
        createDriver: ({ prefix = "root" } = {}) =>
          new KvDriver(store, ["bentocache", prefix]) as never,
      });
      const tearDown = await setUp();
      try {
        for (const [name, fn] of cases) {
          await test.step(name, async () => {
            const cleanups: Hook[] = [];
            const cleanup = (hook: Hook) => void cleanups.push(hook);
            try {
              await fn({ assert: japaAssert, cleanup });
            } finally {
              for (const hook of cleanups) await hook();
              await tearDownEach();
            }
          });
        }
      } finally {
        await tearDown();
        await close();
      }
    },
  });
}

const japaAssert: JapaContext["assert"] = {
  deepEqual: assertEquals,
  notEqual: assertNotEquals,
  isTrue: (actual) => assert(actual === true, `${actual} is not true`),
  isFalse: (actual) => assert(actual === false, `${actual} is not false`),
  isUndefined: (actual) => assertEquals(actual, undefined),
};
