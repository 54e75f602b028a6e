// Runs the conformance suite with clients of one kind.
import { RedisKvStore } from "../../kv/redis.ts";
import { conformance, type ConformanceRunner } from "../../testing/mod.ts";
import {
  type Client,
  type ClientKind,
  freshPrefix,
  removeIndex,
} from "./clients.ts";

/** Registers the conformance suite on a kind of client. */
export async function conform(
  { name, reason, connect }: ClientKind,
  ownPrefix: string,
  index = false,
): Promise<void> {
  const [client, other] = reason === undefined
    ? await Promise.all([open(connect, ownPrefix), open(connect, ownPrefix)])
    : [];
  conformance({
    name: `RedisKvStore (${name}${ownPrefix && ", with its keyPrefix"}${
      index ? ", with an index" : ""
    })`,
    without: index ? {} : { streaming: "a listing collects its keys first" },
    test: runner(reason, name),
    open() {
      const keyPrefix = freshPrefix();
      const store = new RedisKvStore(client!, { keyPrefix, index });
      return {
        store,
        peer: () => new RedisKvStore(other!, { keyPrefix, index }),
        // Whatever is left would make the listings of other tests slower.
        async close() {
          await clear(store);
          if (index) await removeIndex(client!, keyPrefix);
        },
      };
    },
  });
}

/** A client that is closed when all tests of the file have run. */
async function open(
  connect: (keyPrefix: string) => Client,
  keyPrefix: string,
): Promise<Client> {
  const client = connect(keyPrefix);
  await client.get("connected");
  addEventListener("unload", () => client.disconnect());
  return client;
}

async function clear(store: RedisKvStore): Promise<void> {
  for await (const { key } of store.list()) store.delete(key);
  await Array.fromAsync(store.list());
}

/** ioredis 5 shrinks a buffer of all its clients by an interval after a while. */
function runner(reason: string | undefined, name: string): ConformanceRunner {
  const sanitizeOps = !name.includes("ioredis 5");
  return (name, fn) =>
    Deno.test({
      name: reason === undefined ? name : `${name} (${reason})`,
      ignore: reason !== undefined,
      sanitizeOps,
      sanitizeResources: sanitizeOps,
      fn,
    });
}
