/** The real OpenTelemetry SDK, which keeps what it receives in memory. */

import { MeterProvider, MetricReader } from "@opentelemetry/sdk-metrics";
import { type ReadableSpan, TracerProvider } from "@opentelemetry/sdk-trace";
import { instrument } from "../../otel/mod.ts";

class Reader extends MetricReader {
  override async onForceFlush(): Promise<void> {}
  override async onShutdown(): Promise<void> {}
}

/** Records all stores of the process until it is disposed of. */
export class Telemetry implements Disposable {
  /** The spans that have ended, in this order. */
  readonly spans: ReadableSpan[] = [];
  readonly #reader = new Reader();
  readonly #recording: Disposable;

  constructor() {
    // The SDK's own processors hand spans over in a timer.
    const processor = {
      onStart() {},
      onEnd: (span: ReadableSpan) => void this.spans.push(span),
      async forceFlush() {},
      async shutdown() {},
    };
    this.#recording = instrument({
      tracerProvider: new TracerProvider({ spanProcessors: [processor] }),
      meterProvider: new MeterProvider({ readers: [this.#reader] }),
    });
  }

  /** The span of a name. */
  span(name: string): ReadableSpan {
    const span = this.spans.find((it) => it.name === name);
    if (span !== undefined) return span;
    throw new Error(`no span ${name}: ${this.spans.map((it) => it.name)}`);
  }

  /** All metrics as the SDK hands them to an exporter. */
  async collect() {
    const { resourceMetrics, errors } = await this.#reader.collect();
    if (errors.length > 0) throw errors[0];
    return resourceMetrics;
  }

  /** The data points of a metric. */
  async points(name: string) {
    const { scopeMetrics } = await this.collect();
    const metric = scopeMetrics.flatMap(({ metrics }) => metrics)
      .find(({ descriptor }) => descriptor.name === name);
    return (metric?.dataPoints ?? []).map(({ attributes, value }) => ({
      attributes: { ...attributes },
      value: value as number & {
        count: number;
        buckets: { boundaries: number[] };
      },
    }));
  }

  [Symbol.dispose](): void {
    this.#recording[Symbol.dispose]();
  }
}
