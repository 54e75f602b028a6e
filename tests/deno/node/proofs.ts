// The conformance cases and the situations of `@deno/kv`, without a test runner.
import type { Kv, openKv as OpenKv } from "@deno/kv";
import { strict as assert } from "node:assert";
import { DenoKvStore } from "../../../kv/deno.ts";
import { KvError, KvOutcomeUnknownError } from "../../../kv/errors.ts";
import { cases, type OpenedStore, runCase } from "../../../testing/mod.ts";
import { increment } from "../../support/programs/increment.ts";

/** Something that must hold on `@deno/kv`. */
export interface Proof {
  readonly name: string;
  /** Rejects if it does not hold. */
  run(): Promise<void>;
}

/**
 * Where the databases are, given a folder or the URL of a server. The task
 * `matrix` runs the suite on SQLite in memory, in each version of Node.
 */
export const locations: Record<string, (parent: string) => string> = {
  "on a file": (folder) => `${folder}/${crypto.randomUUID()}.db`,
  "in memory": () => "",
  "on a server": (url) => `${url}/${crypto.randomUUID()}`,
};

/**
 * The cases that list a part of a key with a leading byte order mark (U+FEFF):
 * `@deno/kv` 0.14.0 drops it from the keys that it lists.
 */
const LIST_BYTE_ORDER_MARKS: readonly string[] = [
  "list() yields every pair of hostile parts exactly under its prefixes",
  "delete() leaves every other hostile key in place",
  "a key with joined parts differs from the key with separate parts",
  "list() yields hostile keys in key order",
];

/**
 * All that must hold: the contract, and the situations of `@deno/kv` alone.
 *
 * @param openKv Opens a database.
 * @param location Where: a name in `locations`.
 * @param parent A folder, or the URL of a server.
 */
export function proofs(
  openKv: typeof OpenKv,
  location: string,
  parent: string,
): Proof[] {
  const handles = () => new Handles(openKv, locations[location]!(parent));
  return [
    ...cases.filter(({ name }) => !LIST_BYTE_ORDER_MARKS.includes(name)).map((
      each,
    ) => ({
      name: `${location}: ${each.name}`,
      run: () => runCase(each, () => open(handles())),
    })),
    ...situations.map(({ name, run }) => ({
      name: `${location}: ${name}`,
      async run() {
        const opened = handles();
        try {
          await run(opened);
        } finally {
          opened.close();
        }
      },
    })),
  ];
}

/** A database, and its handles. */
class Handles {
  readonly #openKv: typeof OpenKv;
  readonly #path: string;
  readonly #handles: Kv[] = [];

  constructor(openKv: typeof OpenKv, path: string) {
    this.#openKv = openKv;
    this.#path = path;
  }

  /** A new handle, or the only one if the database is that of one handle. */
  async open(): Promise<Kv> {
    const isShared = this.#path.includes("/");
    if (!isShared && this.#handles.length > 0) return this.#handles[0]!;
    const kv = await this.#openKv(this.#path);
    this.#handles.push(kv);
    return kv;
  }

  close() {
    for (const kv of this.#handles.splice(0)) kv.close();
  }
}

async function open(handles: Handles): Promise<OpenedStore> {
  return {
    store: new DenoKvStore(await handles.open()),
    peer: async () => new DenoKvStore(await handles.open()),
    close: () => handles.close(),
  };
}

const situations: readonly {
  readonly name: string;
  readonly run: (handles: Handles) => Promise<void>;
}[] = [
  {
    name: "two handles lose none of 120 increments, and reject none",
    async run(handles) {
      const stores = [
        new DenoKvStore(await handles.open(), { busyTimeout: 60_000 }),
        new DenoKvStore(await handles.open(), { busyTimeout: 60_000 }),
      ];
      await Promise.all(stores.map((kv) => increment(kv, 60)));
      assert.equal(await stores[0]!.get(["counter"]), 120);
    },
  },
  {
    name: "two gets of one key in one tick share nothing",
    async run(handles) {
      const kv = new DenoKvStore(await handles.open());
      await kv.set(["a"], { list: [1] });
      const values = await Promise.all([
        kv.get<{ list: number[] }>(["a"]),
        kv.get<{ list: number[] }>(["a"]),
        kv.get(["b"]),
      ]);
      values[0]!.list.push(2);
      assert.deepEqual(values[1], { list: [1] });
      assert.deepEqual(await kv.get(["a"]), { list: [1] });
    },
  },
  {
    name: "large values, CBOR and foreign values come back",
    async run(handles) {
      const db = await handles.open();
      const kv = new DenoKvStore(db);
      const values = [new Map([["a", new Date(0)]]), "x".repeat(900_000)];
      for (const [i, value] of values.entries()) {
        await kv.set([`${i}`], value, { ttl: 60_000 });
        assert.deepEqual(await kv.get([`${i}`]), value);
        assert.ok(await kv.cas([`${i}`], value, [value]));
        assert.deepEqual(await kv.get([`${i}`]), [value]);
      }
      await db.set(["foreign"], { bytes: new Uint8Array([1]), "@org/kv": 2 });
      const { bytes } = await kv.get<{ bytes: Uint8Array }>(["foreign"]) ?? {};
      assert.deepEqual([...bytes ?? []], [1]);
    },
  },
  {
    name: "calls on a closed database fail, and change nothing",
    async run(handles) {
      const kv = new DenoKvStore(await handles.open());
      await kv.set(["a"], 1);
      handles.close();
      const calls = [
        () => kv.get(["a"]),
        () => Promise.all([kv.get(["a"]), kv.get(["b"])]),
        () => kv.set(["a"], 1),
        () => kv.set(["a"], "x".repeat(100_000)),
        () => kv.cas(["a"], 1, 2),
        () => kv.delete(["a"]),
        () => Array.fromAsync(kv.list()),
      ];
      for (const call of calls) {
        await assert.rejects(
          call,
          (error) =>
            error instanceof KvError &&
            !(error instanceof KvOutcomeUnknownError) &&
            error.message.endsWith("after '.close' is called"),
        );
      }
    },
  },
];
