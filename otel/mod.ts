/**
 * OpenTelemetry spans and metrics of all stores in the process.
 *
 * They follow the semantic conventions for databases, and contain no keys and no
 * values. It needs `@opentelemetry/api`; `docs/telemetry.md` lists everything
 * that is recorded, with a dashboard and alerts.
 *
 * @example Usage
 * ```ts
 * import { instrument } from "@org/kv/otel";
 * import { MemoryKvStore } from "@org/kv";
 *
 * using _telemetry = instrument(); // before or after the stores are created
 * const kv = new MemoryKvStore();
 * await kv.set(["a"], 1);
 * ```
 *
 * @module
 */

import { type Meter, metrics, trace, type Tracer } from "@opentelemetry/api";
import {
  channels,
  type KvCallMessage,
  type KvRoundTripMessage,
  type KvSweepMessage,
  type TracingChannel,
} from "../kv/core/trace.ts";
import { Recorder } from "./recorder.ts";

/**
 * Options of {@linkcode instrument}.
 *
 * @example Usage
 * ```ts
 * import { instrument, type InstrumentOptions } from "@org/kv/otel";
 * import { metrics } from "@opentelemetry/api";
 *
 * const options: InstrumentOptions = {
 *   meterProvider: metrics.getMeterProvider(),
 * };
 * using _telemetry = instrument(options);
 * ```
 */
export interface InstrumentOptions {
  /**
   * Where spans go: a `TracerProvider` of `@opentelemetry/api`.
   *
   * @default {the global provider}
   */
  readonly tracerProvider?: { getTracer(name: string): unknown };
  /**
   * Where metrics go: a `MeterProvider` of `@opentelemetry/api`.
   *
   * @default {the global provider}
   */
  readonly meterProvider?: { getMeter(name: string): unknown };
}

const NAME = "@org/kv";

/**
 * Records spans and metrics of all calls and round trips of all stores, from now
 * on. Call it once, after the OpenTelemetry SDK is set up.
 *
 * @param options Where they go.
 * @returns What stops the recording when it is disposed of.
 * @throws {TypeError} If the runtime has no `node:diagnostics_channel`.
 *
 * @example Usage
 * ```ts
 * import { instrument } from "@org/kv/otel";
 *
 * const telemetry = instrument();
 * // … until the process ends, or:
 * telemetry[Symbol.dispose]();
 * ```
 */
export function instrument(options: InstrumentOptions = {}): Disposable {
  if (channels === undefined) {
    throw new TypeError(
      "Cannot instrument: this runtime has no node:diagnostics_channel " +
        "(on Cloudflare, set the flag nodejs_compat)",
    );
  }
  const {
    tracerProvider = trace.getTracerProvider(),
    meterProvider = metrics.getMeterProvider(),
  } = options;
  const recorder = new Recorder(
    tracerProvider.getTracer(NAME) as Tracer,
    meterProvider.getMeter(NAME) as Meter,
  );
  const subscriptions = new DisposableStack();
  subscriptions.use(observe(channels.call, {
    start: (message) => recorder.startCall(message as KvCallMessage),
    asyncEnd: (message) => recorder.endCall(message as KvCallMessage),
  }));
  subscriptions.use(observe(channels.roundTrip, {
    start: (message) => recorder.startRoundTrip(message as KvRoundTripMessage),
    asyncEnd: (message) => recorder.endRoundTrip(message as KvRoundTripMessage),
  }));
  const onSweep = (message: unknown) =>
    recorder.swept(message as KvSweepMessage);
  channels.sweep.subscribe(onSweep);
  const { sweep } = channels;
  subscriptions.defer(() => void sweep.unsubscribe(onSweep));
  return subscriptions;
}

function observe(
  channel: TracingChannel,
  subscribers: Readonly<
    Record<"start" | "asyncEnd", (message: unknown) => void>
  >,
): Disposable {
  channel.start.subscribe(subscribers.start);
  channel.asyncEnd.subscribe(subscribers.asyncEnd);
  return {
    [Symbol.dispose]() {
      channel.start.unsubscribe(subscribers.start);
      channel.asyncEnd.unsubscribe(subscribers.asyncEnd);
    },
  };
}
