// A process of a history: it reads its orders from stdin, a line of JSON each.
import { Client } from "./client.ts";
import { plant, type Planted } from "./plant.ts";
import { randomOf } from "./random.ts";
import { now, Recorder } from "./record.ts";
import { openStore, type StoreOptions } from "./stores.ts";

/** What a process is started with. */
export interface WriterOptions extends StoreOptions {
  /** How many stores it opens. */
  readonly clients: number;
  /** A fault to plant into its stores. */
  readonly planted?: Planted;
}

/** An order to play its part of a history. */
export interface WriterOrder {
  readonly history: string;
  /** The name of the process. */
  readonly name: string;
  readonly seed: number;
  /** How many calls each client makes. */
  readonly calls: number;
  readonly keys: number;
  readonly deadline: number;
  readonly patience: number;
  /** Where to write the record. */
  readonly record: string;
}

/** How far the clock may be from the system's, in milliseconds. */
const CLOCK_DRIFT = 2;

async function play(
  stores: readonly Awaited<ReturnType<typeof openStore>>[],
  planted: Planted | undefined,
  { name, seed, record, ...plan }: WriterOrder,
): Promise<void> {
  const drift = now() - Date.now();
  if (Math.abs(drift) > CLOCK_DRIFT) {
    throw new Error(`Cannot play: the clock was moved by ${drift} ms`);
  }
  using recorder = new Recorder(record);
  await Promise.all(stores.map(({ kv }, index) => {
    const random = randomOf(seed + index);
    const client = `${name}.${index}`;
    const store = planted === undefined ? kv : plant(planted, kv, random);
    return new Client(store, { ...plan, name: client }, random, recorder).run();
  }));
}

if (import.meta.main) {
  const { clients, planted, ...options } = JSON.parse(
    Deno.args[0]!,
  ) as WriterOptions;
  await using disposal = new AsyncDisposableStack();
  const stores = [];
  for (let index = 0; index < clients; index++) {
    stores.push(disposal.use(await openStore(options, index)));
  }
  console.log("ready");
  const lines = Deno.stdin.readable.pipeThrough(new TextDecoderStream());
  let rest = "";
  for await (const text of lines) {
    const orders = (rest + text).split("\n");
    rest = orders.pop()!;
    for (const order of orders) {
      await play(stores, planted, JSON.parse(order) as WriterOrder);
      console.log("done");
    }
  }
}
