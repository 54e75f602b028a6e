// PostgreSQL for `deno bench`.
import { postgresBackend } from "./backends/postgres.ts";
import { benchBackend } from "./suite.ts";

await benchBackend(postgresBackend);
