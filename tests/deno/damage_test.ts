// Large values whose chunks or references were damaged.
import { assert, assertEquals, assertRejects } from "@std/assert";
import { DenoKvStore } from "../../kv/deno.ts";
import { KvCorruptionError } from "../../kv/errors.ts";
import { OWN } from "./databases.ts";

const VALUE = Array.from({ length: 20_000 }, (_, i) => `value ${i}`);
const KEY = ["large"] as const;

interface Chunks {
  id: string;
  count: number;
  bytes: number;
  digest: string;
}

/** What is damaged, given the chunks that the entry refers to. */
const damages: {
  [what: string]: (db: Deno.Kv, chunks: Chunks) => Promise<unknown>;
} = {
  "a missing first chunk": (db, { id }) => db.delete([OWN, "chunk", id, 0]),
  "a missing last chunk": (db, { id, count }) =>
    db.delete([OWN, "chunk", id, count - 1]),
  "a chunk that is text": (db, { id }) =>
    db.set([OWN, "chunk", id, 1], "x".repeat(61_440)),
  "a chunk that is null": (db, { id }) => db.set([OWN, "chunk", id, 1], null),
  "a chunk that is too short": async (db, { id }) => {
    const chunk = await chunkAt(db, id, 1);
    await db.set([OWN, "chunk", id, 1], chunk.slice(1));
  },
  "a chunk that is too long": async (db, { id }) => {
    const chunk = await chunkAt(db, id, 1);
    await db.set([OWN, "chunk", id, 1], new Uint8Array([...chunk, 0]));
  },
  "a changed byte": async (db, { id }) => {
    const chunk = await chunkAt(db, id, 1);
    chunk[1_000]! ^= 1;
    await db.set([OWN, "chunk", id, 1], chunk);
  },
  "two chunks in each other's place": async (db, { id }) => {
    const [first, second] = [
      await chunkAt(db, id, 0),
      await chunkAt(db, id, 1),
    ];
    await db.set([OWN, "chunk", id, 0], second);
    await db.set([OWN, "chunk", id, 1], first);
  },
  "a chunk of another value": async (db, { id }) => {
    await new DenoKvStore(db).set(["other"], VALUE.toReversed());
    const { value } = await db.get<{ chunks: Chunks }>(["other"]);
    const chunk = await chunkAt(db, value!.chunks.id, 1);
    await db.set([OWN, "chunk", id, 1], chunk);
  },
  "a chunk between two others": (db, { id }) =>
    db.set([OWN, "chunk", id, 0.5], new Uint8Array([1])),
  "another id": (db, chunks) => refer(db, { ...chunks, id: "none" }),
  "an id that is a number": (db, chunks) => refer(db, { ...chunks, id: 1 }),
  "no id": (db, { id: _, ...chunks }) => refer(db, chunks),
  "fewer chunks": (db, chunks) =>
    refer(db, { ...chunks, count: chunks.count - 1 }),
  "more chunks": (db, chunks) =>
    refer(db, { ...chunks, count: chunks.count + 1 }),
  "no number of chunks": (db, { count: _, ...chunks }) => refer(db, chunks),
  "half a chunk": (db, chunks) => refer(db, { ...chunks, count: 1.5 }),
  "fewer bytes": (db, chunks) =>
    refer(db, { ...chunks, bytes: chunks.bytes - 1 }),
  "more bytes": (db, chunks) => refer(db, { ...chunks, bytes: 1e15 }),
  "negative bytes": (db, chunks) => refer(db, { ...chunks, bytes: -1 }),
  "no number of bytes": (db, { bytes: _, ...chunks }) => refer(db, chunks),
  "another digest": (db, chunks) =>
    refer(db, { ...chunks, digest: "0".repeat(64) }),
  "a short digest": (db, chunks) =>
    refer(db, { ...chunks, digest: chunks.digest.slice(1) }),
};

async function chunkAt(db: Deno.Kv, id: string, index: number) {
  const { value } = await db.get<Uint8Array<ArrayBuffer>>(
    [OWN, "chunk", id, index],
  );
  assert(value !== null);
  return value;
}

async function refer(db: Deno.Kv, chunks: unknown) {
  const { value } = await db.get<object>(KEY);
  await db.set(KEY, { ...value, chunks });
}

for (const [what, damage] of Object.entries(damages)) {
  Deno.test(`a large value with ${what} is corrupt`, async () => {
    using db = await Deno.openKv(":memory:");
    const kv = new DenoKvStore(db);
    await kv.set(["a"], 1);
    await kv.set(KEY, VALUE);
    assertEquals(await kv.get(KEY), VALUE);
    const { value } = await db.get<{ chunks: Chunks }>(KEY);
    await damage(db, value!.chunks);
    const error = await assertRejects(() => kv.get(KEY), KvCorruptionError);
    assert(error.message.startsWith('Cannot get ["large"]: '), error.message);
    assert(!error.message.includes("value 1"), error.message);
    for (const expected of [undefined, VALUE, 1]) {
      await assertRejects(() => kv.cas(KEY, expected, 2), KvCorruptionError);
    }
    const [neighbour] = await Promise.all([
      kv.get(["a"]),
      assertRejects(() => kv.get(KEY), KvCorruptionError),
    ]);
    assertEquals(neighbour, 1);
    await assertRejects(
      () => Array.fromAsync(kv.list(["large"])),
      KvCorruptionError,
      'Cannot list ["large"]: ',
    );
    await kv.set(KEY, [...VALUE, "new"]);
    assertEquals(await kv.get(KEY), [...VALUE, "new"]);
    await kv.delete(KEY);
    assertEquals(await kv.get(KEY), undefined);
  });
}
