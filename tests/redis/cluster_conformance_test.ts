// The conformance suite on Redis Cluster.
import { clientKinds } from "./clients.ts";
import { conform } from "./conformance.ts";

for (const kind of await clientKinds()) {
  if (kind.isCluster) {
    await conform(kind, "");
    // What ioredis puts in front is the same in both versions.
    if (kind.name.endsWith("6.0")) await conform(kind, "app{1}:");
    else await conform(kind, "", true);
  }
}
