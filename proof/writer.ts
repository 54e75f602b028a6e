// A process of a history: it reads its orders from stdin, one per line.
import process from "node:process";
import { createInterface } from "node:readline";
import { Client } from "./client.ts";
import { plant, type Planted } from "./plant.ts";
import { randomOf } from "./random.ts";
import { Recorder, setClock } from "./record.ts";
import { openStores, type ProvenStore, type StoreOptions } from "./stores.ts";

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

async function play(
  stores: readonly ProvenStore[],
  planted: Planted | undefined,
  { name, seed, record, previous, ...plan }: WriterOrder,
  finish: Promise<void>,
): Promise<void> {
  setClock();
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
  const stores = await openStores(options, first, clients);
  for (const store of new Set(stores)) disposal.use(store);
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
