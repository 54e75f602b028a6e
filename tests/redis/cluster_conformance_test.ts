// The conformance suite on Redis Cluster.
import { clientKinds } from "./clients.ts";
import { isFull } from "../support/extent.ts";
import { conform } from "./conformance.ts";

for (const kind of await clientKinds()) {
  if (!kind.isCluster) continue;
  const isOldest = !kind.name.endsWith("6.0");
  if (isOldest) await conform(kind, "");
  if (!isFull) continue;
  // The store sends the same by both versions, so each takes another form.
  if (isOldest) await conform(kind, "", true);
  else await conform(kind, "app{1}:");
}
