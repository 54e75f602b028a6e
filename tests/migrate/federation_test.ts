// Two Fedify servers move from Fedify's own stores to ours, and go on.
import { federate, redisOf } from "../../proof/migration/federation.ts";
import { startRedis, unstartable } from "../../servers/mod.ts";

const reason = await unstartable("redis");

Deno.test({
  name: "two servers that moved keep their keys and what they have handled" +
    (reason === undefined ? "" : ` (${reason})`),
  ignore: reason !== undefined,
  // Fedify leaves the answers to its deliveries unread.
  sanitizeResources: false,
  async fn() {
    await using redis = await startRedis();
    const folder = await Deno.makeTempDir();
    try {
      await federate(
        redisOf(redis.url),
        (name) => ({ url: `sqlite:${folder}/${name}.db` }),
      );
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
