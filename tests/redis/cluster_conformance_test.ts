// The conformance suite on Redis Cluster.
import { clientKinds } from "./clients.ts";
import { conform } from "./conformance.ts";

for (const kind of await clientKinds()) {
  if (kind.isCluster) {
    // The store sends the same by both versions, so each takes another form.
    if (kind.name.endsWith("6.0")) await conform(kind, "app{1}:");
    else {
      await conform(kind, "");
      await conform(kind, "", true);
    }
  }
}
