/**
 * What we hold ourselves to: how often as fast as Fedify's own driver, and as
 * the bare client, our stores have to be.
 *
 * @module
 */
import type { OperationName } from "./operation_names.ts";

/** A measurement: an operation on values of a size, so many at once. */
export interface Case {
  readonly operation: OperationName;
  /** The size of the values, in bytes of JSON; the mix has its own sizes. */
  readonly bytes: number;
  readonly atOnce: number;
}

/** Whether two cases are the same. */
export function isSame(a: Case, b: Case): boolean {
  return a.operation === b.operation && a.bytes === b.bytes &&
    a.atOnce === b.atOnce;
}

/** A case and the least ratios, ours to theirs. */
export interface Target extends Case {
  readonly backend: string;
  readonly fedify?: number | undefined;
  readonly raw?: number | undefined;
}

type Row = readonly [
  operation: OperationName,
  bytes: number,
  atOnce: number,
  fedify: number | undefined,
  raw?: number,
];

const KiB = 1_024;
const none = undefined;

const memory: Row[] = [1, 256].flatMap((atOnce): Row[] => [
  ["get", 100, atOnce, 1.5],
  ["set", 100, atOnce, 1.5],
  ["get with TTL", 100, atOnce, 4],
  ["set with TTL", 100, atOnce, 4],
  ["get with TTL", 2 * KiB, atOnce, 1.2],
  // A listing looks through all entries elsewhere: 256 would take minutes.
  ["list", 100, Math.min(atOnce, 16), 1_000],
]);

const rows: Readonly<Record<string, readonly Row[]>> = {
  memory,
  sqlite: [
    ["get", 100, 1, 3.5, 1.15],
    ["set", 100, 1, 3, 1],
    ["set with TTL", 100, 1, 2.5, 0.9],
    ["cas", 100, 1, 2.8, 0.8],
    ["list", 100, 1, 100],
    ["get", 100, 256, 3.5, 1.2],
    ["set", 100, 256, 4, 1.3],
    ["set with TTL", 100, 256, 4, 1.2],
    ["cas", 100, 256, 3.8, 1],
  ],
  sqlite_full: [
    ["set", 100, 1, 1.1, 0.95],
    ["set", 100, 256, 9, 7],
    ["mix", 0, 256, 4.5, 2.8],
  ],
  deno: [
    ["get", 100, 1, 0.95, 0.95],
    ["set", 100, 1, 0.95, 0.95],
    ["get", 100, 256, none, 2.3],
    ["set", 100, 256, none, 9],
    ["cas", 100, 256, none, 4.5],
    ["get", 2 * KiB, 256, none, 1.4],
    ["set", 2 * KiB, 256, none, 4],
    ["cas", 2 * KiB, 256, none, 3],
  ],
  redis: [
    ["get", 100, 1, 1, 0.95],
    ["set", 100, 1, 1, 0.95],
    ["cas", 100, 1, none, 0.85],
    ["get", 100, 256, 3.4, 3.2],
    ["set", 100, 256, 6, 3.5],
    ["set with TTL", 100, 256, 3.3, 2],
    ["get", 2 * KiB, 256, 1.5, 1.4],
    ["set", 2 * KiB, 256, 2.2, 1.4],
    ["get", 40 * KiB, 256, 1, 1],
    ["set", 40 * KiB, 256, 1, 1],
  ],
  redis_cluster: [
    ["get", 100, 1, 0.95, 0.9],
    ["set", 100, 1, 0.95, 0.9],
    ["get", 100, 256, 2.1],
    ["set", 100, 256, 2.8],
  ],
  postgres: [
    ["get", 100, 1, 1.15, 1],
    ["set", 100, 1, 3, 0.95],
    ["cas", 100, 1, 2.8, 0.85],
    ["get", 100, 256, 5, 4],
    ["set", 100, 256, 30, 7],
    ["cas", 100, 256, 20, 4],
    ["get", 2 * KiB, 256, 2.8, 2.2],
    ["set", 2 * KiB, 256, 14, 4.5],
    ["cas", 2 * KiB, 256, 8, 2.4],
    ["set among 100,000", 100, 256, 300],
  ],
  mysql: [
    ["get", 100, 1, 1.1, 0.9],
    ["set", 100, 1, 1.5, 0.9],
    ["get", 100, 256, 7, 5],
    ["set", 100, 256, 12, 5],
    ["cas", 100, 256, none, 3],
  ],
};

/** All targets. */
export const targets: readonly Target[] = Object.entries(rows).flatMap(
  ([backend, rows]) =>
    rows.map(([operation, bytes, atOnce, fedify, raw]) => ({
      backend,
      operation,
      bytes,
      atOnce,
      fedify,
      raw,
    })),
);

/** What must not be exceeded. */
export const limits = {
  /** Heap of the memory store in addition to key and value, in bytes an entry. */
  heapBytes: 135,
  /** The slowest set while 200,000 entries expire, in milliseconds. */
  setMilliseconds: 20,
  /** The 99th percentile of sets by 256 workers on PostgreSQL, to raw's. */
  loopToRaw: 0.25,
} as const;
