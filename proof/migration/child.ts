// Migrates, and stops somewhere after a number of entries, to be killed.
import { migrate } from "../../migrate/mod.ts";
import { openKv } from "../../open/mod.ts";
import { openSource, type Place } from "./sources.ts";

/** What the process is told. */
export interface Order {
  readonly place: Place;
  readonly target: string;
  readonly options: Record<string, string>;
  /** The cursor to continue after. */
  readonly after?: string;
  /** After how many entries it stops, and how many milliseconds later. */
  readonly stop?: readonly [entries: number, delay: number];
}

const order = JSON.parse(Deno.args[0]!) as Order;

function stop(): void {
  console.log("ready");
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

const { source, close } = await openSource(order.place);
{
  await using target = await openKv(order.target, order.options);
  let isStopping = false;
  const summary = await migrate(source, target, {
    ...order.after === undefined ? {} : { after: order.after },
    onCheckpoint: (cursor) => console.log("cursor", JSON.stringify(cursor)),
    onProgress({ read }) {
      if (order.stop === undefined || isStopping) return;
      const [entries, delay] = order.stop;
      if (read < entries) return;
      isStopping = true;
      setTimeout(stop, delay);
    },
    onDamaged: "fail",
    verify: order.stop === undefined,
  });
  if (order.stop !== undefined) stop();
  const { read, written, kept, different } = summary;
  console.log("summary", JSON.stringify({ read, written, kept, different }));
}
await close();
