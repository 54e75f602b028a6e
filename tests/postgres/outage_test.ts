// PostgreSQL that is down, is killed, or loses an answer.
import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import postgres from "postgres";
import { KvError, KvOutcomeUnknownError } from "../../kv/errors.ts";
import { PostgresKvStore } from "../../kv/postgres.ts";
import type { KvKey } from "../../kv/store.ts";
import { type Cut, FaultProxy } from "../../testing/fault_proxy.ts";
import type { ClientOptions } from "./clients.ts";
import { startPostgres, unstartable } from "../../servers/mod.ts";

const reason = await unstartable("postgres");

function testOnServer(sentence: string, fn: () => Promise<void>): void {
  Deno.test({
    name: reason === undefined ? sentence : `${sentence} (${reason})`,
    ignore: reason !== undefined,
    fn,
  });
}

/** A client that reconnects at once. */
const eager: ClientOptions = {
  backoff: () => 0.001,
  onnotice: () => {},
};

function connectTo(url: string, options: ClientOptions): postgres.Sql {
  return postgres(url, { fetch_types: false, ...options });
}

/**
 * Ends a client. Without a limit postgres.js may wait for ever, for the answer
 * to a query on a connection that broke and was not needed again.
 */
async function end(sql: postgres.Sql): Promise<void> {
  await sql.end({ timeout: 0.1 });
}

/** Fails with a reason instead of hanging. */
async function within<T>(seconds: number, promise: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new Error(`it takes longer than ${seconds} s`)),
    seconds * 1_000,
  );
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function outcomeOf(call: Promise<unknown>): Promise<unknown> {
  try {
    return await within(10, call);
  } catch (error) {
    assertInstanceOf(error, KvError);
    return error.name;
  }
}

const cuts = 300;

for (
  const [name, options, width] of [
    ["a lone call", {}, 1],
    ["a batch", {}, 5],
    ["prepare: false", { prepare: false }, 1],
  ] as [string, ClientOptions, number][]
) {
  testOnServer(
    `cas() never answers wrong when its connection is cut (${name})`,
    async () => {
      await using server = await startPostgres({
        settings: { fsync: "off" },
      });
      await using proxy = await FaultProxy.start(server.port);
      const sql = connectTo(server.urlAt(proxy.port), {
        ...eager,
        ...options,
        max: 1,
      });
      const direct = connectTo(server.url, { max: 1 });
      const store = new PostgresKvStore(sql);
      const peer = new PostgresKvStore(direct);
      const keys = Array.from({ length: width }, (_, i): KvKey => [`${i}`]);
      await Promise.all(keys.map((key) => store.set(key, 0)));
      const current = keys.map(() => 0);
      const seen: Record<string, number> = {};
      for (let round = 0; proxy.cuts < cuts; round++) {
        // Every other time, the connection is ready for the statement: else the
        // cut meets the client while it connects or asks for types.
        if (round % 2 === 0) {
          await Promise.allSettled(keys.map((key) => store.cas(key, -1, -2)));
        }
        const cut: Cut = round % 3 === 0 ? "request" : "answer";
        proxy.next = cut;
        // Without prepared statements, a call asks for its types first.
        proxy.skip = options.prepare === false && round % 4 < 2 ? 1 : 0;
        const outcomes = await Promise.all(
          keys.map((key, i) =>
            outcomeOf(store.cas(key, current[i], current[i]! + 1))
          ),
        );
        proxy.next = "none";
        proxy.skip = 0;
        for (const [i, key] of keys.entries()) {
          const outcome = outcomes[i];
          const value = await peer.get<number>(key);
          const made = value === current[i]! + 1;
          assert(made || value === current[i], `${value} is there`);
          assert(outcome !== false, "false, although the value was expected");
          if (outcome === true) assert(made, "true, but it was not made");
          if (outcome === "KvError") assert(!made, "an error, but it was made");
          seen[`${outcome}, ${made}`] = (seen[`${outcome}, ${made}`] ?? 0) + 1;
          current[i] = value!;
        }
      }
      assert(seen["KvOutcomeUnknownError, true"]! > 0, Deno.inspect(seen));
      assert(seen["KvOutcomeUnknownError, false"]! > 0, Deno.inspect(seen));
      await Promise.all([end(sql), direct.end()]);
    },
  );
}

testOnServer(
  "every cas() that answers true is made once, every false one never",
  async () => {
    await using server = await startPostgres({ settings: { fsync: "off" } });
    await using proxies = new AsyncDisposableStack();
    const made: string[] = [];
    const not: string[] = [];
    let unknown = 0;
    await Promise.all(Array.from({ length: 4 }, async (_, writer) => {
      const proxy = proxies.use(await FaultProxy.start(server.port));
      const sql = connectTo(server.urlAt(proxy.port), { ...eager, max: 2 });
      const store = new PostgresKvStore(sql);
      for (let i = 0; i < 120; i++) {
        const id = `${writer}:${i}`;
        try {
          const list = await within(10, store.get<string[]>(["list"]));
          if (i % 2 === 0) proxy.next = i % 3 === 0 ? "request" : "answer";
          const next = [...list ?? [], id];
          const answer = await within(10, store.cas(["list"], list, next));
          (answer ? made : not).push(id);
        } catch (error) {
          assertInstanceOf(error, KvError);
          if (error instanceof KvOutcomeUnknownError) unknown++;
          else not.push(id);
        }
      }
      await end(sql);
    }));
    const sql = connectTo(server.url, { max: 1 });
    const list = await new PostgresKvStore(sql).get<string[]>(["list"]);
    await end(sql);
    assertEquals(new Set(list).size, list!.length);
    for (const id of made) assert(list!.includes(id), `${id} is lost`);
    for (const id of not) assert(!list!.includes(id), `${id} is in`);
    assert(made.length > 0 && not.length > 0 && unknown > 0);
  },
);

testOnServer("a read goes on when its connection is cut", async () => {
  await using server = await startPostgres();
  await using proxy = await FaultProxy.start(server.port);
  const sql = connectTo(server.urlAt(proxy.port), { ...eager, max: 1 });
  const store = new PostgresKvStore(sql);
  await store.set(["a"], 1);
  for (const cut of ["request", "answer"] as const) {
    proxy.next = cut;
    assertEquals(await within(10, store.get(["a"])), 1);
    proxy.next = cut;
    assertEquals(await within(10, Array.fromAsync(store.list())), [
      { key: ["a"], value: 1 },
    ]);
  }
  assertEquals(proxy.cuts, 4);
  await end(sql);
});

testOnServer(
  "a server that is down is an error, and no unknown outcome",
  async () => {
    await using server = await startPostgres();
    const sql = connectTo(server.url, { ...eager, max: 2 });
    const store = new PostgresKvStore(sql);
    await store.set(["a"], 1);
    await server.kill();
    await outcomeOf(store.get(["a"]));
    const keys = Array.from({ length: 300 }, (_, i): KvKey => [`${i}`]);
    const outcomes = await Promise.all(
      keys.map((key) => outcomeOf(store.set(key, 2))),
    );
    assertEquals(new Set(outcomes), new Set(["KvError"]));
    await server.restart();
    assertEquals(await within(10, store.get(["a"])), 1);
    assertEquals(await within(10, store.get(keys[1]!)), undefined);
    await end(sql);
  },
);

testOnServer(
  "a killed server keeps what it acknowledged, and calls go on when it is back",
  async () => {
    await using server = await startPostgres();
    const sql = connectTo(server.url, eager);
    const store = new PostgresKvStore(sql);
    let running = true;
    const failures: Record<string, number> = {};
    /** Writes ever higher numbers, and notes which of them may be there. */
    async function write(
      key: KvKey,
      call: (value: number) => Promise<unknown>,
    ): Promise<{ key: KvKey; possible: number[]; acknowledged: number }> {
      let possible = [0];
      let acknowledged = 0;
      await store.set(key, 0);
      for (let value = 1; running; value++) {
        const outcome = await outcomeOf(call(value));
        if (outcome === undefined || outcome === true) {
          possible = [value];
          acknowledged++;
        } else {
          failures[String(outcome)] = (failures[String(outcome)] ?? 0) + 1;
          if (outcome === "KvOutcomeUnknownError") possible.push(value);
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
      }
      return { key, possible, acknowledged };
    }
    const writers = Promise.all(
      Array.from({ length: 16 }, (_, i) => {
        const key: KvKey = ["k", `${i}`];
        return write(key, async (value) => {
          if (i % 2 === 0) return await store.set(key, value);
          return await store.cas(key, await store.get(key), value);
        });
      }),
    );
    for (let i = 0; i < 3; i++) {
      await new Promise((resolve) => setTimeout(resolve, 300));
      await server.kill();
      await new Promise((resolve) => setTimeout(resolve, 100));
      await server.restart();
    }
    await new Promise((resolve) => setTimeout(resolve, 300));
    running = false;
    for (const { key, possible, acknowledged } of await within(30, writers)) {
      const value = await within(10, store.get<number>(key));
      assert(possible.includes(value!), `${value} is there, not ${possible}`);
      assert(acknowledged > 0);
    }
    assert(failures["KvOutcomeUnknownError"]! > 0, Deno.inspect(failures));
    await end(sql);
  },
);
