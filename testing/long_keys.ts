// Cases about keys over the backend's own size limit.
import type { KvKey } from "../kv/store.ts";
import { calls, expectClass, list } from "./bad_keys.ts";
import type { ConformanceCase } from "./case.ts";
import {
  collect,
  expect,
  expectEntry,
  expectKeys,
  expectSame,
  inWaves,
  keysOf,
  rejection,
  withCas,
} from "./expect.ts";
import { compareKeys, shuffled } from "./order.ts";
import { show } from "./show.ts";

const section = "Keys";
const limit = 8_192;

/** The cases about keys past what a backend can hold as one. */
export const longKeyCases: readonly ConformanceCase[] = [
  {
    section,
    name: "long keys that differ only in their last character stay apart",
    line: "past the backend's own limit get, set and delete treat a key like " +
      "any other",
    guarantees: [],
    async run({ store }) {
      const keys = longKeys();
      await inWaves(shuffled(keys), (key) => store.set(key, { is: key }));
      await inWaves(keys, (key) => expectEntry(store, key, { is: key }));
      const [gone, kept] = [keys.slice(0, 20), keys.slice(20)];
      await inWaves(gone, (key) => store.delete(key));
      await inWaves(gone, (key) => expectEntry(store, key, undefined));
      await inWaves(kept, (key) => expectEntry(store, key, { is: key }));
    },
  },
  {
    section,
    name: "list() yields long keys in full under each of their prefixes",
    line: "past the backend's own limit list treats a key like any other",
    guarantees: [],
    async run({ store }) {
      const keys = longKeys();
      await inWaves(shuffled(keys), (key) => store.set(key, { is: key }));
      const prefixes = new Map<string, string[]>([["[]", []]]);
      for (const key of keys) {
        for (let end = 1; end <= key.length; end++) {
          const prefix = key.slice(0, end);
          prefixes.set(JSON.stringify(prefix), prefix);
          const shorter = [...prefix.slice(0, -1), prefix.at(-1)!.slice(0, -1)];
          prefixes.set(JSON.stringify(shorter), shorter);
        }
      }
      for (const prefix of prefixes.values()) {
        // Where a key goes under a digest, and so comes last, is the driver's.
        const entries = await collect(store.list(prefix as unknown as KvKey));
        expectSame(
          entries.sort((a, b) => compareKeys(a.key, b.key)),
          keys.filter((key) => prefix.every((part, i) => key[i] === part))
            .sort(compareKeys)
            .map((key) => ({ key, value: { is: key } })),
          `list(${show(prefix)}), sorted`,
        );
      }
    },
  },
  {
    section,
    name: "cas() swaps entries with long keys",
    line: "past the backend's own limit cas treats a key like any other",
    guarantees: ["cas"],
    async run({ store: withoutCas }) {
      const store = withCas(withoutCas);
      for (const key of longKeys()) {
        const what = `on ${show(key)}`;
        const swaps = [
          await store.cas(key, undefined, { a: 1, b: 2 }),
          await store.cas(key, undefined, 3),
          await store.cas(key, { b: 2, a: 1 }, 4),
          await store.cas(key, 4, undefined),
        ];
        expectSame(swaps, [true, false, true, true], `cas() ${what}`);
        await expectEntry(store, key, undefined, "after the last swap");
      }
    },
  },
  {
    section,
    name: "an entry with a long key is absent after its expiry",
    line: "an expired entry is absent",
    guarantees: [],
    async run({ store, pass }) {
      const key: KvKey = ["a", "x".repeat(5_000)];
      await store.set(key, 1, { ttl: 60_000 });
      await expectEntry(store, key, 1);
      await store.set(key, 1, { ttl: 20 });
      await pass(20);
      await expectEntry(store, key, undefined, "after its expiry");
      await expectKeys(store, ["a"], []);
    },
  },
  {
    section,
    name: "a key that looks like the digest of another key stays apart from it",
    line: "two different sequences of parts are always two different keys",
    guarantees: [],
    async run({ store }) {
      const part = "x".repeat(5_000);
      const digests = await digestsOf([part, JSON.stringify([part])]);
      const keys: KvKey[] = [["a", part], ["a"], ["a", part, ""]];
      for (const text of digests) {
        keys.push(["a", text], ["a", "", text], ["a", `#${text}`]);
        keys.push(["a", `\u{10FFFF}${text}`], ["a", `\xFF${text}`], [text]);
      }
      await inWaves(shuffled(keys), (key) => store.set(key, { is: key }));
      await inWaves(keys, (key) => expectEntry(store, key, { is: key }));
      expectSame(
        (await keysOf(store)).sort(compareKeys),
        keys.toSorted(compareKeys),
        "the keys of list(), sorted",
      );
    },
  },
  {
    section,
    name: "set() stores a key of exactly 8 KiB",
    line: "a key takes at most 8 KiB of UTF-8",
    guarantees: [],
    async run({ store, maxKeyBytes }) {
      for (const key of keysAtLimit(maxKeyBytes)) {
        await store.set(key, { is: key });
        await expectEntry(store, key, { is: key });
        await expectKeys(store, key, [key]);
        await store.delete(key);
        await expectEntry(store, key, undefined, "after delete()");
      }
      await expectKeys(store, undefined, []);
    },
  },
  {
    section,
    name:
      "every method rejects a key over 8 KiB and names its size and the limit",
    line: "a longer key throws a RangeError with the size and the limit",
    guarantees: [],
    async run({ store, maxKeyBytes }) {
      for (const [first, ...rest] of keysAtLimit(maxKeyBytes)) {
        const key = [`${first}a`, ...rest];
        for (const [what, call] of [...calls(store, key), list(store, key)]) {
          const error = await rejection(what, call);
          expectClass(error, RangeError, what);
          const digits = error.message.replaceAll(/(?<=\d)[,_](?=\d)/g, "");
          expect(
            digits.includes(`${limit + 1}`) && digits.includes(`${limit}`),
            `the message of ${what} must give ${limit + 1} and ${limit}: ${
              show(error.message)
            }`,
          );
        }
      }
      await expectKeys(store, undefined, []);
    },
  },
];

function longKeys(): KvKey[] {
  const lengths = [505, 512, 600, 2_046, 2_049, 2_100, 2_705, 4_000, 8_000];
  return lengths.flatMap((length): KvKey[] => {
    const part = "x".repeat(length);
    return [
      [part],
      [`${part.slice(1)}y`],
      ["lead", part],
      ["lead", `${part.slice(1)}y`],
      ["lead", part, "tail"],
      ["lead", part, "tale"],
      ["lead", ...part.slice(0, 300)],
    ].map(([first, ...rest]) => [first!, ...rest]);
  }).concat([["lead"], ["lead", "x"], ["lead", "short", "z".repeat(3_000)]])
    .filter(isFirst);
}

function isFirst(key: KvKey, index: number, keys: KvKey[]): boolean {
  return keys.findIndex((other) => compareKeys(other, key) === 0) === index;
}

function keysAtLimit(bytes: number): KvKey[] {
  const half = bytes >> 1;
  const sevens = Math.floor((bytes - 2) / 7);
  return [
    [ofBytes("x", bytes)],
    [ofBytes("é", bytes)],
    [ofBytes("😀", bytes)],
    [ofBytes("\0", bytes)],
    ["a", ofBytes("x", bytes - 2), "", "b"],
    [ofBytes("x", half), ofBytes("y", bytes - half)],
    [
      ofBytes("a", bytes - 7 * sevens),
      ...Array.from({ length: sevens }, () => "\xFF\xFF\xFF\0"),
    ],
  ].map(([first, ...rest]): KvKey => [first!, ...rest]);
}

/** A text of that many bytes: the character repeated, and `x` to fill up. */
function ofBytes(character: string, bytes: number): string {
  const { length } = new TextEncoder().encode(character);
  return character.repeat(bytes / length) + "x".repeat(bytes % length);
}

async function digestsOf(texts: string[]): Promise<string[]> {
  const digests = [];
  for (const text of texts) {
    const bytes = new Uint8Array(
      await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)),
    );
    const base64 = btoa(String.fromCharCode(...bytes));
    digests.push(
      Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(""),
      base64,
      base64.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", ""),
    );
  }
  return digests;
}
