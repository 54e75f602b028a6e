// Cases about concurrent swaps by several clients.
import type { KvKey } from "../kv/store.ts";
import type { ConformanceCase } from "./case.ts";
import { expect, expectEntry, expectSame, withCas } from "./expect.ts";

const section = "Compare-and-swap";
const guarantees = ["cas", "linearizable"] as const;
const line =
  "compare-and-swap is linearizable per key across all clients of the " +
  "same backend";
const key: KvKey = ["a"];

/** The cases about swaps, by several clients at once. */
export const casRaceCases: readonly ConformanceCase[] = [
  {
    section,
    name: "exactly one of fifty concurrent cas() calls creates the entry",
    line,
    guarantees,
    async run({ store, peer }) {
      const clients = [withCas(store), withCas(await peer())] as const;
      const won = await Promise.all(
        Array.from(
          { length: 50 },
          (_, i) => clients[i % 2 as 0 | 1].cas(key, undefined, { winner: i }),
        ),
      );
      expectSame(won.filter(Boolean), [true], "the cas() that answered true");
      for (const client of clients) {
        await expectEntry(client, key, { winner: won.indexOf(true) });
      }
    },
  },
  {
    section,
    name: "exactly one of fifty concurrent cas() calls deletes the entry",
    line,
    guarantees,
    async run({ store, peer }) {
      const clients = [withCas(store), withCas(await peer())] as const;
      await store.set(key, { a: 1, b: [2] });
      const won = await Promise.all(
        Array.from(
          { length: 50 },
          (_, i) =>
            clients[i % 2 as 0 | 1].cas(key, { b: [2], a: 1 }, undefined),
        ),
      );
      expectSame(won.filter(Boolean), [true], "the cas() that answered true");
      await expectEntry(store, key, undefined);
    },
  },
  {
    section,
    name: "a hundred concurrent increments through cas() all count",
    line,
    guarantees,
    async run({ store, peer }) {
      const clients = [withCas(store), withCas(await peer())] as const;
      await store.set(key, { count: 0, more: "x" });
      await Promise.all(Array.from({ length: 10 }, (_, i) => increment(i)));
      for (const client of clients) {
        await expectEntry(client, key, { count: 100, more: "x" });
      }

      async function increment(worker: number) {
        const client = clients[worker % 2 as 0 | 1];
        // Each failure is for another's success: no worker can fail often.
        let attempts = 0;
        for (let done = 0; done < 10;) {
          expect(++attempts < 1_000, "a thousand attempts have not made ten");
          const value = await client.get<{ count: number }>(key);
          expect(value !== undefined, "the counter is gone during increments");
          const next = { more: "x", count: value.count + 1 };
          const expected = { more: "x", count: value.count };
          if (await client.cas(key, expected, next)) done++;
        }
      }
    },
  },
  {
    section,
    name: "one client reads what another client wrote",
    line: "every client reads what another client wrote before",
    guarantees: ["linearizable"],
    async run({ store, peer }) {
      const other = await peer();
      for (let i = 0; i < 10; i++) {
        await store.set(key, i);
        await expectEntry(other, key, i, "by another client");
        await other.set(key, [i]);
        await expectEntry(store, key, [i], "written by another client");
        await other.delete(key);
        await expectEntry(store, key, undefined, "deleted by another client");
      }
    },
  },
];
