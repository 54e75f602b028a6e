// The conformance suite on Redis and Redis Cluster by node-redis.
import { createClient, createCluster } from "redis";
import { RedisKvStore } from "../../kv/redis.ts";
import { sharedUrl, unavailable } from "../../servers/mod.ts";
import { isFull } from "../support/extent.ts";
import { conformance } from "../../testing/mod.ts";
import { freshPrefix } from "./clients.ts";
import { opened } from "./node_redis.ts";

const kinds = {
  redis: (url: string) => createClient({ url }),
  "redis-cluster": (url: string) => {
    const urls = url.split(",");
    const { password } = new URL(urls[0]!);
    return createCluster({
      rootNodes: urls.map((url) => ({ url })),
      defaults: { password: decodeURIComponent(password) },
    });
  },
} as const;

for (const [kind, create] of Object.entries(kinds)) {
  const server = kind as keyof typeof kinds;
  if (server === "redis-cluster" && !isFull) continue;
  const reason = await unavailable(server);
  const [one, other] = reason === undefined
    ? await Promise.all([
      opened(create(await sharedUrl(server))),
      opened(create(await sharedUrl(server))),
    ])
    : [];
  addEventListener("unload", () => {
    one?.[Symbol.asyncDispose]();
    other?.[Symbol.asyncDispose]();
  });
  conformance({
    name: `RedisKvStore (${kind}, by node-redis 6)`,
    without: { streaming: "a listing collects its keys first" },
    test: (name, fn) =>
      Deno.test({
        name: reason === undefined ? name : `${name} (${reason})`,
        ignore: reason !== undefined,
        // The timeouts of commands are the client's own.
        sanitizeOps: false,
        sanitizeResources: false,
        fn,
      }),
    open() {
      const keyPrefix = freshPrefix();
      const store = new RedisKvStore(one!.client, { keyPrefix });
      return {
        store,
        peer: () => new RedisKvStore(other!.client, { keyPrefix }),
        // Whatever is left would make the listings of other tests slower.
        close: async () => void await store.clear(),
      };
    },
  });
}
