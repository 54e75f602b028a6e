// Memory for `deno bench`.
import { memory } from "./backends/memory.ts";
import { benchBackend } from "./suite.ts";

await benchBackend(memory);
