/**
 * Diagnostics channels, on which others observe calls and round trips. Messages
 * contain no keys and no values.
 *
 * @module
 */

import type { KvStoreTraits } from "../store.ts";

/** What a message tells of a store. */
interface TracedStore {
  readonly traits: KvStoreTraits;
}

/** A message about a call of a store: `tracing:@org/kv.call:*`. */
export interface KvCallMessage {
  readonly store: TracedStore;
  /** The method. */
  readonly operation: string;
  /** Whether a swap was made, or how many entries there were. */
  result?: boolean | number | undefined;
  /** What the call rejected with. */
  error?: unknown;
}

/** A message about a round trip: `tracing:@org/kv.round-trip:*`. */
export interface KvRoundTripMessage {
  readonly store: TracedStore;
  /** The method that all its calls have in common, or `batch`. */
  readonly operation: string;
  /** The calls that travel together; none for a page of a listing. */
  readonly calls: readonly KvCallMessage[];
  /** Why it failed as a whole. Otherwise, each call has its own outcome. */
  error?: unknown;
}

/** A message about expired entries that were removed: `@org/kv.sweep`. */
export interface KvSweepMessage {
  readonly driver: string;
  readonly collection: string | undefined;
  readonly entries: number;
}

/** What is used of a channel of `node:diagnostics_channel`. */
export interface Channel {
  readonly hasSubscribers: boolean;
  publish(message: unknown): void;
  subscribe(subscriber: (message: unknown) => void): void;
  unsubscribe(subscriber: (message: unknown) => void): void;
}

/** What is used of a tracing channel. */
export type TracingChannel = Readonly<
  Record<"start" | "end" | "asyncStart" | "asyncEnd" | "error", Channel>
>;

interface DiagnosticsChannel {
  channel(name: string): Channel;
  tracingChannel(name: string): TracingChannel;
}

// An import would fail where the module is missing, such as in a browser.
const diagnostics = (globalThis as {
  process?: { getBuiltinModule?(name: string): DiagnosticsChannel | undefined };
}).process?.getBuiltinModule?.("node:diagnostics_channel");

/** The channels, unless the runtime has none. */
export const channels = diagnostics && {
  call: diagnostics.tracingChannel("@org/kv.call"),
  roundTrip: diagnostics.tracingChannel("@org/kv.round-trip"),
  sweep: diagnostics.channel("@org/kv.sweep"),
};

interface Outcome {
  result?: boolean | number | undefined;
  error?: unknown;
}

/** A call or a round trip that is observed. */
export class Trace<Message extends Outcome = Outcome> {
  readonly #channel: TracingChannel;
  readonly message: Message;
  #isFinished = false;

  constructor(channel: TracingChannel, message: Message) {
    this.#channel = channel;
    this.message = message;
    channel.start.publish(message);
    channel.end.publish(message);
  }

  /** Publishes the outcome, once. */
  finish(error?: unknown, result?: boolean | number): void {
    if (this.#isFinished) return;
    this.#isFinished = true;
    const message: Outcome = this.message;
    if (result !== undefined) message.result = result;
    if (error !== undefined) {
      message.error = error;
      this.#channel.error.publish(message);
    }
    this.#channel.asyncStart.publish(message);
    this.#channel.asyncEnd.publish(message);
  }
}

/** Begins to observe a call, if anyone wants to know. */
export function traceCall(
  store: TracedStore,
  operation: string,
): Trace<KvCallMessage> | undefined {
  return isObserved(channels?.call) ? beginCall(store, operation) : undefined;
}

function beginCall(
  store: TracedStore,
  operation: string,
): Trace<KvCallMessage> {
  return new Trace<KvCallMessage>(channels!.call, { store, operation });
}

/** Begins to observe a round trip, if anyone wants to know. */
export function traceRoundTrip(
  store: TracedStore,
  operation: string,
): Trace<KvRoundTripMessage> | undefined {
  if (!isObserved(channels?.roundTrip)) return undefined;
  return traceTrip(store, operation === "list keys" ? "keys" : operation, []);
}

/** Hands a batch to a driver, as a round trip. */
export function traceBatch(
  store: TracedStore,
  calls: readonly { readonly kind: string }[],
  execute: () => void | Promise<void>,
): void | Promise<void> {
  if (!isObserved(channels?.roundTrip)) return execute();
  const [first, ...others] = calls;
  const isUniform = others.every(({ kind }) => kind === first!.kind);
  const messages = (calls as readonly { trace?: Trace<KvCallMessage> }[])
    .flatMap(({ trace }) => trace?.message ?? []);
  const trip = traceTrip(store, isUniform ? first!.kind : "batch", messages);
  let running: void | Promise<void>;
  try {
    running = execute();
  } catch (error) {
    trip.finish(error);
    throw error;
  }
  if (running === undefined) return trip.finish();
  return running.then(
    () => trip.finish(),
    (error) => {
      trip.finish(error);
      throw error;
    },
  );
}

function traceTrip(
  store: TracedStore,
  operation: string,
  calls: readonly KvCallMessage[],
): Trace<KvRoundTripMessage> {
  const message: KvRoundTripMessage = { store, operation, calls };
  return new Trace(channels!.roundTrip, message);
}

/** Observes what a promise becomes: a number of entries. */
export async function tracePromise(
  trace: Trace | undefined,
  run: () => number | Promise<number>,
): Promise<number> {
  try {
    const entries = await run();
    trace?.finish(undefined, entries);
    return entries;
  } catch (error) {
    trace?.finish(error);
    throw error;
  }
}

/** Observes a listing, from its first entry to its last one. */
export function traceListing<Entry>(
  store: TracedStore,
  action: string,
  entries: AsyncGenerator<Entry>,
): AsyncGenerator<Entry> {
  if (!isObserved(channels?.call)) return entries;
  return observed(store, action === "list keys" ? "keys" : action, entries);
}

async function* observed<Entry>(
  store: TracedStore,
  operation: string,
  entries: AsyncGenerator<Entry>,
): AsyncGenerator<Entry> {
  const trace = traceCall(store, operation);
  let count = 0;
  try {
    for await (const entry of entries) {
      count++;
      yield entry;
    }
  } catch (error) {
    trace?.finish(error, count);
    throw error;
  } finally {
    trace?.finish(undefined, count);
  }
}

/** Tells how many expired entries were removed. */
export function noteSwept(
  { driver, collection }: Pick<KvStoreTraits, "driver" | "collection">,
  entries: number,
): void {
  if (entries === 0 || !channels?.sweep.hasSubscribers) return;
  const message: KvSweepMessage = { driver, collection, entries };
  channels.sweep.publish(message);
}

/** Bun's tracing channels have no `hasSubscribers`. */
function isObserved(channel: TracingChannel | undefined): boolean {
  return channel !== undefined &&
    (channel.start.hasSubscribers || channel.asyncEnd.hasSubscribers ||
      channel.error.hasSubscribers);
}
