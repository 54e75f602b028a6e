// What must hold on any client while connections are cut and servers die.
import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { KvError, KvOutcomeUnknownError } from "../../kv/errors.ts";
import type { RedisKvStore } from "../../kv/redis.ts";
import type { Server } from "../../servers/mod.ts";
import type { Cut, FaultProxy } from "../../testing/fault_proxy.ts";
import { sleep } from "./clients.ts";

const CUTS = 120;

/** Swaps by one client, each cut short, with no other client around. */
export async function cutEverySwap(
  kv: RedisKvStore,
  proxies: readonly FaultProxy[],
): Promise<void> {
  let unknown = 0;
  let stored: unknown = undefined;
  let cuts = 0;
  for (let i = 0; cuts < CUTS; i++) {
    const key = ["key", `${i % 7}`] as const;
    stored = await kv.get(key);
    const isRight = i % 5 > 0;
    const value = i % 4 === 0 ? undefined : { attempt: i };
    const cut: Cut = i % 3 === 0 ? "request" : "answer";
    for (const proxy of proxies) proxy.next = cut;
    const answer = await kv.cas(key, isRight ? stored : "wrong", value)
      .catch((error) => error);
    for (const proxy of proxies) proxy.next = "none";
    cuts = proxies.reduce((sum, { cuts }) => sum + cuts, 0);

    const found = await kv.get(key);
    if (answer === true) assertEquals(found, value, `${i}: true`);
    else if (answer !== false) {
      // Without a value on either side, there is nothing to write.
      const isRead = isRight && stored === undefined && value === undefined;
      assertInstanceOf(answer, isRead ? KvError : KvOutcomeUnknownError);
      unknown++;
      if (!isRight) assertEquals(found, stored, `${i}: unknown`);
    } else assert(!isRight, `${i}: false although nobody else writes`);
    if (!isRight) assertEquals(found, stored, `${i}: wrong expectation`);
  }
  assert(unknown > CUTS / 4, `only ${unknown} were unknown`);
}

/** What a swap answered. */
export interface Answer {
  id: string;
  answer: unknown;
}

/** Swaps by one of several clients on the same entry, some of them cut short. */
export async function append(
  kv: RedisKvStore,
  proxy: FaultProxy,
  writer: number,
  answers: Answer[],
): Promise<void> {
  for (let i = 0; i < CUTS; i++) {
    const id = `${writer}.${i}`;
    const made = await kv.get<string[]>(["made"]);
    if (i % 3 === 0) proxy.next = i % 2 === 0 ? "request" : "answer";
    const answer = await kv.cas(["made"], made, [...made ?? [], id])
      .catch((error) => error);
    if (typeof answer !== "boolean") {
      assertInstanceOf(answer, KvOutcomeUnknownError);
    }
    answers.push({ id, answer });
  }
}

/** Writes while a server dies and comes back, and checks what is there then. */
export async function outage(kv: RedisKvStore, server: Server): Promise<void> {
  const written = new Map<string, Set<unknown>>();
  let acknowledged = 0;
  let failed = 0;
  let isOver = false;

  async function write(writer: number): Promise<void> {
    for (let i = 0; !isOver; i++) {
      const key = ["entry", `${writer}`, `${i % 20}`] as const;
      const id = key.join();
      // After a failure, either value may be there.
      const before = written.get(id) ?? new Set([undefined]);
      try {
        if (i % 3 === 0) await kv.set(key, i);
        else if (i % 3 === 1) await kv.set(key, i, { ttl: 60_000 });
        else if (!await kv.cas(key, [...before][0], i)) {
          assert(before.size > 1, `${id}: cas() was wrong`);
          continue;
        }
        written.set(id, new Set([i]));
        acknowledged++;
      } catch (error) {
        assertInstanceOf(error, KvError);
        written.set(id, new Set([...before, i]));
        failed++;
      }
      await sleep(1);
    }
  }

  const writers = Array.from({ length: 16 }, (_, writer) => write(writer));
  await sleep(200);
  await server.kill();
  await sleep(100);
  await server.restart();
  const before = acknowledged;
  const deadline = Date.now() + 20_000;
  while (acknowledged < before + 200 && Date.now() < deadline) await sleep(20);
  isOver = true;
  await Promise.all(writers);

  assert(acknowledged >= before + 200, "writes do not work again");
  for (const [id, values] of written) {
    const [entry, writer, number] = id.split(",");
    const found = await succeed(() => kv.get([entry!, writer!, number!]));
    assert(values.has(found), `${id}: ${found} is not one of ${[...values]}`);
  }
  console.log(`${acknowledged} writes acknowledged, ${failed} failed`);
}

/** Calls until it succeeds, for some seconds. */
export async function succeed<T>(call: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + 20_000;
  while (true) {
    try {
      return await call();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await sleep(10);
    }
  }
}
