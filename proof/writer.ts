// A process of a history: it reads its orders from stdin, one per line.
import process from "node:process";
import { createInterface } from "node:readline";
import { Client } from "./client.ts";
import { plant, type Planted } from "./plant.ts";
import { randomOf } from "./random.ts";
import { now, Recorder } from "./record.ts";
import { openStore, type ProvenStore, type StoreOptions } from "./stores.ts";

/** What a process is started with. */
export interface WriterOptions extends StoreOptions {
  /** The number of its first store among those of all processes. */
  readonly first: number;
  /** How many stores it opens. */
  readonly clients: number;
  /** A fault to plant into its stores. */
  readonly planted?: Planted;
}

/** An order to play its part of a history. */
export interface WriterOrder {
  readonly history: string;
  /** An earlier history, whose entries it removes. */
  readonly previous?: string;
  /** The name of the process. */
  readonly name: string;
  readonly seed: number;
  /** How many calls each client makes at least. */
  readonly calls: number;
  readonly keys: number;
  readonly deadline: number;
  readonly patience: number;
  /** Where to write the record. */
  readonly record: string;
}

/** The order that follows when the fault is over. */
export const FINISH = "finish";

/** How far the clock may be from the system's, in milliseconds. */
const CLOCK_DRIFT = 2;

async function play(
  stores: readonly ProvenStore[],
  planted: Planted | undefined,
  { name, seed, record, previous, ...plan }: WriterOrder,
  finish: Promise<void>,
): Promise<void> {
  const drift = now() - Date.now();
  if (Math.abs(drift) > CLOCK_DRIFT) {
    throw new Error(`Cannot play: the clock was moved by ${drift} ms`);
  }
  using recorder = new Recorder(record);
  const clients: Promise<unknown>[] = stores.map(({ kv }, index) => {
    const random = randomOf(seed + index);
    const client = { ...plan, name: `${name}.${index}` };
    const store = planted === undefined ? kv : plant(planted, kv, random);
    return new Client(store, client, random, recorder, finish).run();
  });
  if (previous !== undefined) {
    // Only keeps the database small: a fault may prevent it.
    clients.push(stores[0]!.kv.clear(["proof", previous]).catch(() => {}));
  }
  await Promise.all(clients);
}

if (import.meta.main) {
  const { first, clients, planted, ...options } = JSON.parse(
    process.argv[2]!,
  ) as WriterOptions;
  await using disposal = new AsyncDisposableStack();
  const stores: ProvenStore[] = [];
  for (let index = 0; index < clients; index++) {
    stores.push(disposal.use(await openStore(options, first + index)));
  }
  // Creates the table, which a fault may look for. On a busy machine a server
  // may be silent for longer than the timeout.
  const isOpen = () => stores[0]!.kv.check().then(() => true, () => false);
  while (!await isOpen());
  console.log("ready");
  let finish = Promise.withResolvers<void>();
  for await (const line of createInterface({ input: process.stdin })) {
    if (line === FINISH) {
      finish.resolve();
      continue;
    }
    finish = Promise.withResolvers();
    play(stores, planted, JSON.parse(line) as WriterOrder, finish.promise)
      .then(() => console.log("done"));
  }
}
