/** Makes spans and metrics of what the stores publish. */

import {
  type Attributes,
  type Context,
  context,
  type Counter,
  type Histogram,
  type Meter,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
  type Tracer,
  type UpDownCounter,
} from "@opentelemetry/api";
import type {
  KvCallMessage,
  KvRoundTripMessage,
  KvSweepMessage,
} from "../kv/core/trace.ts";
import { KvOutcomeUnknownError } from "../kv/errors.ts";
import { errorAttributes, storeAttributes } from "./attributes.ts";

/** The boundaries that the conventions recommend, in seconds. */
const SECONDS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10];

/** Boundaries of a number of calls. */
const CALLS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512];

/** The most other calls that the span of a round trip links to. */
const MAX_LINKS = 127;

/** A call or a round trip that has begun. */
interface Begun {
  readonly start: number;
  readonly span: Span;
  readonly context: Context;
  readonly attributes: Attributes;
}

/** Records calls, round trips and sweeps. */
export class Recorder {
  readonly #tracer: Tracer;
  readonly #duration: Histogram;
  readonly #tripDuration: Histogram;
  readonly #tripCalls: Histogram;
  readonly #pending: UpDownCounter;
  readonly #lostSwaps: Counter;
  readonly #unknownOutcomes: Counter;
  readonly #swept: Counter;
  readonly #begun = new WeakMap<object, Begun>();

  constructor(tracer: Tracer, meter: Meter) {
    this.#tracer = tracer;
    this.#duration = meter.createHistogram("db.client.operation.duration", {
      description: "Duration of database client operations.",
      unit: "s",
      advice: { explicitBucketBoundaries: SECONDS },
    });
    this.#tripDuration = meter.createHistogram(
      "kv.client.round_trip.duration",
      {
        description: "Duration of round trips, which carry one or more calls.",
        unit: "s",
        advice: { explicitBucketBoundaries: SECONDS },
      },
    );
    this.#tripCalls = meter.createHistogram("kv.client.round_trip.calls", {
      description: "Number of calls that travel together in a round trip.",
      unit: "{call}",
      advice: { explicitBucketBoundaries: CALLS },
    });
    this.#pending = meter.createUpDownCounter("kv.client.pending_calls", {
      description: "Number of calls that are queued or travel.",
      unit: "{call}",
    });
    this.#lostSwaps = meter.createCounter("kv.client.lost_swaps", {
      description: "Number of cas() calls that found another value.",
      unit: "{call}",
    });
    this.#unknownOutcomes = meter.createCounter("kv.client.unknown_outcomes", {
      description: "Number of writes that may or may not have been applied.",
      unit: "{call}",
    });
    this.#swept = meter.createCounter("kv.client.swept_entries", {
      description: "Number of expired entries that were removed.",
      unit: "{entry}",
    });
  }

  startCall(message: KvCallMessage): void {
    const { store, operation } = message;
    const attributes = storeAttributes(store.traits);
    this.#begin(message, context.active(), attributes, operation, {
      kind: isInProcess(store.traits.driver)
        ? SpanKind.INTERNAL
        : SpanKind.CLIENT,
    });
    this.#pending.add(1, attributes);
  }

  endCall(message: KvCallMessage): void {
    const { store, operation, result, error } = message;
    const attributes = this.#end(message, this.#duration, error);
    if (attributes === undefined) return;
    const ofStore = storeAttributes(store.traits);
    this.#pending.add(-1, ofStore);
    if (operation === "cas" && result === false) {
      this.#lostSwaps.add(1, ofStore);
    }
    if (error instanceof KvOutcomeUnknownError) {
      this.#unknownOutcomes.add(1, {
        ...ofStore,
        "db.operation.name": operation,
      });
    }
  }

  startRoundTrip(message: KvRoundTripMessage): void {
    const { store, operation, calls } = message;
    const attributes = storeAttributes(store.traits);
    const [first, ...others] = calls.flatMap((it) => this.#begun.get(it) ?? []);
    const name = calls.length < 2
      ? operation
      : operation === "batch"
      ? "BATCH"
      : `BATCH ${operation}`;
    this.#begin(
      message,
      first?.context ?? context.active(),
      attributes,
      name,
      {
        kind: SpanKind.INTERNAL,
        links: others.slice(0, MAX_LINKS).map(({ span }) => ({
          context: span.spanContext(),
        })),
      },
      calls.length < 2 ? {} : { "db.operation.batch.size": calls.length },
    );
    if (calls.length > 0) this.#tripCalls.record(calls.length, attributes);
  }

  endRoundTrip(message: KvRoundTripMessage): void {
    this.#end(message, this.#tripDuration, message.error);
  }

  swept({ entries, ...store }: KvSweepMessage): void {
    this.#swept.add(entries, storeAttributes(store));
  }

  #begin(
    message: object,
    parent: Context,
    store: Attributes,
    operation: string,
    options: Parameters<Tracer["startSpan"]>[1],
    more: Attributes = {},
  ): void {
    const attributes = { ...store, "db.operation.name": operation };
    const target = store["db.collection.name"];
    const span = this.#tracer.startSpan(
      target === undefined ? operation : `${operation} ${target}`,
      { ...options, attributes: { ...attributes, ...more } },
      parent,
    );
    const start = performance.now();
    const ofSpan = trace.setSpan(parent, span);
    this.#begun.set(message, { start, span, context: ofSpan, attributes });
  }

  /** Ends a span; returns nothing if it began before the recording. */
  #end(
    message: object,
    duration: Histogram,
    error: unknown,
  ): Attributes | undefined {
    const begun = this.#begun.get(message);
    if (begun === undefined) return undefined;
    const { start, span, context } = begun;
    const failure = error === undefined ? {} : errorAttributes(error);
    const attributes = { ...begun.attributes, ...failure };
    if (error !== undefined) {
      span.setAttributes(failure);
      span.setStatus({ code: SpanStatusCode.ERROR });
    }
    span.end();
    duration.record((performance.now() - start) / 1000, attributes, context);
    return attributes;
  }
}

/** Whether a driver's backend is a part of this process. */
function isInProcess(driver: string): boolean {
  return driver === "memory" || driver === "sqlite";
}
