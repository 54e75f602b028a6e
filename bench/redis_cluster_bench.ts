// Redis Cluster for `deno bench`.
import { redisCluster } from "./backends/redis_cluster.ts";
import { benchBackend } from "./suite.ts";

await benchBackend(redisCluster);
