// What runs in Node on `@deno/kv`, as one file:
//
//   program.mjs prove PARENT LOCATION   a line of JSON for each proof
//   program.mjs count FILE TIMES        as deno_counter.ts does
//
// Where PARENT is a URL, DENO_KV_ACCESS_TOKEN is set.
import type { openKv as OpenKv } from "@deno/kv";
import process from "node:process";
import { DenoKvStore } from "../../../kv/deno.ts";
import { increment } from "../../support/programs/increment.ts";
import { proofs } from "./proofs.ts";

// A name that is not literal is left to Node.
const client: string = "@deno/kv";
const { openKv } = await import(client) as { openKv: typeof OpenKv };

const [task, path, detail] = process.argv.slice(2) as [
  "prove" | "count",
  string,
  string,
];

if (task === "prove") {
  for (const { name, run } of proofs(openKv, detail, path)) {
    let error: string | undefined;
    try {
      await run();
    } catch (thrown) {
      error = (thrown as Error).stack ?? String(thrown);
    }
    console.log(JSON.stringify({ name, error }));
  }
} else {
  const kv = await openKv(path);
  await increment(new DenoKvStore(kv, { busyTimeout: 60_000 }), Number(detail));
  kv.close();
}
