// A private Redis, with our store, Fedify's and the alternatives.
import { RedisKvStore as FedifyRedisKvStore } from "@fedify/redis";
import KeyvRedis from "@keyv/redis";
import redisDriver from "unstorage/drivers/redis";
import { Redis } from "ioredis";
import { RedisKvStore } from "../../kv/redis.ts";
import { startRedis } from "../../servers/mod.ts";
import { keyvSubject } from "../alternatives/keyv.ts";
import { unstorageSubject } from "../alternatives/unstorage.ts";
import { type Backend, OURS, versionOf } from "../backend.ts";
import { storeSubject } from "../subject.ts";
import { rawRedisSubject } from "./redis_raw.ts";

/** A Redis with an append-only file. */
export const redis: Backend = {
  name: "redis",
  title: "Redis, appendfsync everysec",
  async open() {
    const server = await startRedis();
    // One database each, since a listing walks all keys of its database.
    const clients = [1, 2, 3].map((db) => new Redis(`${server.url}/${db}`));
    const [raw, ours, fedify] = clients as [Redis, Redis, Redis];
    const unstorage = unstorageSubject(
      redisDriver({ url: `${server.url}/4`, scanCount: 1_000 }),
      { ttl: true },
    );
    const keyv = keyvSubject(new KeyvRedis(`${server.url}/5`));
    return {
      subjects: [
        rawRedisSubject(raw),
        storeSubject(OURS, new RedisKvStore(ours)),
        // Its types are those of another version of the client.
        storeSubject("Fedify", new FedifyRedisKvStore(fedify as never)),
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
