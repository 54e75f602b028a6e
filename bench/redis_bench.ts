// Redis for `deno bench`.
import { redis } from "./backends/redis.ts";
import { benchBackend } from "./suite.ts";

await benchBackend(redis);
