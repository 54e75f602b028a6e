/**
 * The names of the operations that are measured.
 *
 * @module
 */

/** The names of the operations; the mix is measured differently. */
export type OperationName = WaveOperationName | "mix";

/** The names of the operations that are measured in waves. */
export type WaveOperationName =
  | "get"
  | "get missing"
  | "get with TTL"
  | "set"
  | "set with TTL"
  | "set among 100,000"
  | "cas"
  | "cas failing"
  | "list";
