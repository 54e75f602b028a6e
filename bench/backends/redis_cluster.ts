// A private Redis Cluster, with our store, Fedify's and the alternatives.
import { RedisKvStore as FedifyRedisKvStore } from "@fedify/redis";
import KeyvRedis from "@keyv/redis";
import redisDriver from "unstorage/drivers/redis";
import { Cluster } from "ioredis";
import { RedisKvStore } from "../../kv/redis.ts";
import { startRedisCluster } from "../../servers/mod.ts";
import { keyvSubject } from "../alternatives/keyv.ts";
import { unstorageSubject } from "../alternatives/unstorage.ts";
import { type Backend, OURS, versionOf } from "../backend.ts";
import { storeSubject } from "../subject.ts";
import { rawRedisSubject } from "./redis_raw.ts";

/** Three masters. */
export const redisCluster: Backend = {
  name: "redis_cluster",
  title: "Redis Cluster of three masters, appendfsync everysec",
  async open() {
    const server = await startRedisCluster();
    const urls = server.nodes.map((node) => node.url);
    const clients = [1, 2, 3].map(() => new Cluster(urls));
    const [raw, ours, fedify] = clients as [Cluster, Cluster, Cluster];
    const unstorage = unstorageSubject(redisDriver({ cluster: urls }), {
      ttl: true,
      without: { list: "its driver asks one node of a Cluster only" },
    });
    const keyv = keyvSubject(
      new KeyvRedis({
        rootNodes: urls.map((url) => ({ url })),
        defaults: { password: server.password },
      }, {
        throwOnErrors: true,
      }),
    );
    // Many first calls at once fail, as its client has not found the nodes yet.
    await keyv.get("first");
    return {
      subjects: [
        rawRedisSubject(raw),
        storeSubject(OURS, new RedisKvStore(ours)),
        // Its type asks for a single server's client, but any does.
        storeSubject(
          "Fedify",
          new FedifyRedisKvStore(fedify as never),
        ),
        unstorage,
        keyv,
      ],
      absent: {},
      versions: {
        Redis: /redis_version:(\S+)/.exec(await raw.info("server"))![1]!,
        ioredis: versionOf("ioredis"),
        "@fedify/redis": versionOf("@fedify/redis"),
        unstorage: versionOf("unstorage"),
        "@keyv/redis": versionOf("@keyv/redis"),
      },
      async close() {
        await unstorage.close();
        await keyv.close();
        for (const client of clients) client.disconnect();
        await server.stop();
      },
    };
  },
};
