/** Damaged and foreign rows in the database of a Durable Object. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { unsanitized } from "../support/worker/suite.ts";
import { Workerd } from "../support/worker/workerd.ts";

let worker: Workerd;

Deno.test.beforeAll(async () => {
  worker = await Workerd.start("tests/support/worker/damage.ts", {
    objects: { OBJECTS: "DamagedObject" },
  });
});

Deno.test.afterAll(() => worker[Symbol.asyncDispose]());

let stores = 0;

/** A store, and SQL for the database that holds it. */
class Store {
  readonly #name = `store${stores++}`;

  /** Makes a call; a failure becomes its message. */
  async call<T>(action: string, body?: unknown): Promise<T> {
    const response = await worker.fetch(
      `http://worker/${this.#name}/${action}`,
      body === undefined
        ? undefined
        : { method: "POST", body: JSON.stringify(body) },
    );
    return await response.json();
  }

  async sql(...statements: string[]): Promise<unknown[][]> {
    const results = await this.call<unknown[][][]>(
      "sql",
      statements.map((statement) => [statement]),
    );
    assert(Array.isArray(results), String(results));
    return results.at(-1)!;
  }
}

function inObject(name: string, fn: (store: Store) => Promise<void>): void {
  Deno.test({
    ...unsanitized,
    name: `a damaged Durable Object: ${name}`,
    fn: () => fn(new Store()),
  });
}

/** Sets three entries, damages the one in the middle, and reads them all. */
async function damage(
  store: Store,
  statement: string,
  options: { large?: boolean } = {},
): Promise<{ get: unknown; cas: unknown; list: unknown; others: unknown }> {
  const times = options.large ? 600_000 : 1;
  await store.call("set?key=a");
  await store.call(`set?key=b&times=${times}`);
  await store.call("set?key=c");
  await store.sql(statement);
  const result = {
    get: await store.call("get?key=b"),
    list: await store.call("list"),
    cas: await store.call("cas?key=b"),
    others: [await store.call("get?key=a"), await store.call("get?key=c")],
  };
  // Whatever was there, the entry can be written and deleted.
  await store.call("set?key=b&value=new");
  assertEquals(await store.call("get?key=b"), "new");
  await store.call("delete?key=b");
  assertEquals(await store.call("list"), [["a"], ["c"]]);
  assertEquals(await store.sql("SELECT count(*) FROM kv_chunks"), [[0]]);
  return result;
}

const CHUNK = "UPDATE kv_chunks SET";
const LAST = "WHERE number = (SELECT max(number) FROM kv_chunks)";
const VALUE = "UPDATE kv SET value =";
const large: Record<string, string> = {
  "the first chunk is missing": "DELETE FROM kv_chunks WHERE number = 0",
  "the last chunk is missing": `DELETE FROM kv_chunks ${LAST}`,
  "all chunks are missing": "DELETE FROM kv_chunks",
  "there is one chunk too many":
    "INSERT INTO kv_chunks SELECT key, reference, 99, data FROM kv_chunks LIMIT 1",
  "chunks are swapped": `${CHUNK} number = number + 10`,
  "a chunk is shorter": `${CHUNK} data = substr(data, 2) WHERE number = 0`,
  "a chunk is longer": `${CHUNK} data = CAST(data || 'x' AS BLOB) ${LAST}`,
  "a chunk has other bytes of the same length":
    `${CHUNK} data = CAST('"xxxx' || substr(data, 6) AS BLOB) WHERE number = 0`,
  "a chunk is text": `${CHUNK} data = CAST(data AS TEXT) ${LAST}`,
  "a chunk is a number": `${CHUNK} data = 1 ${LAST}`,
  "a chunk is of another value": `${CHUNK} data = zeroblob(length(data))`,
  "a chunk is another chunk": `${CHUNK} data = (SELECT data FROM kv_chunks ` +
    "WHERE number = 1) WHERE number = 2",
  "the chunks are of another key": `${CHUNK} key = 'a'`,
  "the reference is short": `${VALUE} substr(value, 1, 24) WHERE key = 'b'`,
  "the reference is long":
    `${VALUE} CAST(value || x'00' AS BLOB) WHERE key = 'b'`,
  "the reference names no chunks": `${VALUE} ` +
    "CAST(x'00' || randomblob(16) || substr(value, 18) AS BLOB) WHERE key = 'b'",
  "the reference claims 4 GB": `${VALUE} CAST(substr(value, 1, 17) || ` +
    "x'ffffffff' || substr(value, 22) AS BLOB) WHERE key = 'b'",
  "the reference claims nothing": `${VALUE} CAST(substr(value, 1, 17) || ` +
    "x'00000000' || substr(value, 22) AS BLOB) WHERE key = 'b'",
};

for (const [name, statement] of Object.entries(large)) {
  inObject(`a large value of which ${name}`, async (store) => {
    // Chunks that no row refers to stay, and do no harm.
    const leftovers = "CREATE TRIGGER clean AFTER UPDATE OF value ON kv " +
      "BEGIN DELETE FROM kv_chunks; END";
    const { get, cas, list, others } = await damage(
      store,
      `${statement}; ${leftovers}`,
      { large: true },
    );
    assertMatch(String(get), /^KvCorruptionError: Cannot get \["b"\]: /);
    assertMatch(String(cas), /^KvCorruptionError: Cannot cas \["b"\]: /);
    assertEquals((list as unknown[]).length, 2, `${list}`);
    assertMatch(
      String((list as unknown[])[1]),
      /^KvCorruptionError: Cannot list \["b"\]: /,
    );
    assertEquals(others, ["value", "value"]);
  });
}

const rows: Record<string, string> = {
  "the value is a number": `${VALUE} 1 WHERE key = 'b'`,
  "the value is infinite": `${VALUE} 9e999 WHERE key = 'b'`,
  "the value is not JSON": `${VALUE} 'secret' WHERE key = 'b'`,
  "the value is an empty blob": `${VALUE} x'' WHERE key = 'b'`,
  "the value is a zero byte": `${VALUE} x'00' WHERE key = 'b'`,
  "the value is no UTF-8": `${VALUE} x'22ff22' WHERE key = 'b'`,
  "the value is CBOR of undefined": `${VALUE} x'd9d9f7f7' WHERE key = 'b'`,
  "the value is a blob of 2 MB": `${VALUE} zeroblob(1900000) WHERE key = 'b'`,
  "the value is deep without an end":
    `${VALUE} printf('%.*c', 100000, '[') WHERE key = 'b'`,
};

for (const [name, statement] of Object.entries(rows)) {
  inObject(name, async (store) => {
    const { get, cas, list, others } = await damage(store, statement);
    assertMatch(String(get), /^KvCorruptionError: Cannot get \["b"\]: /);
    assertMatch(String(cas), /^KvCorruptionError: Cannot cas \["b"\]: /);
    assertMatch(
      String((list as unknown[])[1]),
      /^KvCorruptionError: Cannot list \["b"\]: /,
    );
    assertEquals(others, ["value", "value"]);
    assert(!`${get}${cas}${list}`.includes("secret"), `${get} ${cas} ${list}`);
  });
}

inObject("a key that get() cannot find is damage", async (store) => {
  await store.call("set?key=a");
  await store.sql("UPDATE kv SET key = 'a b'");
  assertMatch(
    String(await store.call("list")),
    /^KvCorruptionError: Cannot list \["a b"\]: /,
  );
});

for (const time of ["'soon'", "x'00'"]) {
  inObject(`the expiry is ${time}`, async (store) => {
    const { get, list, others } = await damage(
      store,
      `UPDATE kv SET expires = ${time} WHERE key = 'b'`,
    );
    assertMatch(String(get), /^KvCorruptionError: Cannot get \["b"\]: /);
    assertMatch(String(list), /KvCorruptionError: Cannot list \["b"\]: /);
    assertEquals(others, ["value", "value"]);
  });
}

inObject("a reference of another key is damage", async (store) => {
  await store.call("set?key=a");
  await store.call("set?key=b&times=600000");
  await store.sql(
    "UPDATE kv SET value = (SELECT value FROM kv WHERE key = 'b') " +
      "WHERE key = 'a'",
  );
  assertMatch(await store.call("get?key=a"), /^KvCorruptionError: /);
  await store.call("delete?key=a");
  // The chunks of the other key are still there.
  assertEquals(
    (await store.call<string>("get?key=b")).length,
    "value".length * 600_000,
  );
});

inObject("alarms end although times are text or infinite", async (store) => {
  await store.call("expire?key=a&times=1");
  await store.call("expire?key=b&times=1");
  await store.call("expire?key=c&times=1");
  await store.sql(
    "UPDATE kv SET due = 'soon', expires = 'soon' WHERE key = 'a'",
    "UPDATE kv SET due = 9e999, expires = 9e999 WHERE key = 'b'",
    "UPDATE kv SET due = -9e999, expires = x'00' WHERE key = 'c'",
  );
  await store.call("ring");
  let alarms: [fired: number, delay: number | null];
  do {
    alarms = await store.call("alarms");
  } while (alarms[0] === 0 || (alarms[1]! <= 0 && alarms[0] < 10));
  assertEquals(alarms[0], 1);
  assert(alarms[1]! > 86_400_000, `${alarms}`);
});

for (let seed = 0; seed < 2; seed++) {
  inObject(`500 entries at random, seed ${seed}`, async (store) => {
    const counts = await store.call<Record<string, number>>(
      `random?times=500&seed=${seed}`,
    );
    assert(typeof counts === "object", String(counts));
    const { right, damaged, other } = counts as Record<string, number>;
    assertEquals(right! + damaged! + other!, 500);
    assert(damaged! > 250 && other! > 0, JSON.stringify(counts));
  });
}
