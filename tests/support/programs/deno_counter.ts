// Adds one to a counter as often as asked, by compare-and-swap, against others
// that do the same: `deno_counter.ts FILE TIMES`.
import { DenoKvStore } from "../../../kv/deno.ts";
import { increment } from "./increment.ts";

const [file, times] = Deno.args as [string, string];
const kv = await Deno.openKv(file);
await increment(new DenoKvStore(kv, { busyTimeout: 60_000 }), Number(times));
kv.close();
