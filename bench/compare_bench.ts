import { backends } from "./backends.ts";
import { benchStores } from "./suite.ts";

await benchStores(backends);
