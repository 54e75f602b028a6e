// All backends for `deno bench`.
import { backendNames, loadBackend } from "./backends.ts";
import { benchStores } from "./suite.ts";

await benchStores(await Promise.all(backendNames.map(loadBackend)));
