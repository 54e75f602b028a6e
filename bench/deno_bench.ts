// Deno KV for `deno bench`.
import { deno } from "./backends/deno.ts";
import { benchBackend } from "./suite.ts";

await benchBackend(deno);
