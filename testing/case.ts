/**
 * What a case of the conformance suite is, and what it is given.
 *
 * @module
 */
import type { KvGuarantee, KvStore } from "../kv/store.ts";

/**
 * A store opened for one case, and what belongs to it.
 *
 * @example Usage
 * ```ts
 * import { MemoryKvStore } from "@org/kv";
 * import type { OpenedStore } from "@org/kv/testing";
 *
 * const opened: OpenedStore = { store: new MemoryKvStore(), close() {} };
 * ```
 */
export interface OpenedStore {
  /**
   * The store: empty, and sharing nothing with the store of another case. If it
   * can be disposed, it is, before `close` is called.
   */
  readonly store: KvStore;
  /**
   * Opens another client of the same backend, with the same entries. It is
   * called at most once, and its store is disposed as the first one is.
   *
   * @default {the store itself}
   */
  peer?(): KvStore | Promise<KvStore>;
  /**
   * Makes time pass for the store. With it, expiry is checked to the
   * millisecond and no case waits.
   *
   * @default {real waiting}
   */
  advance?(milliseconds: number): void | Promise<void>;
  /**
   * The most bytes of UTF-8 that a key may take, if the store puts parts of its
   * own in front of each key.
   *
   * @default {8192}
   */
  readonly maxKeyBytes?: number;
  /** Releases what was opened for the case; called also when the case fails. */
  close?(): void | Promise<void>;
}

/**
 * The guarantees that a store leaves out, each with its reason.
 *
 * @example Usage
 * ```ts
 * import type { Without } from "@org/kv/testing";
 *
 * const without: Without = { cas: "the backend has no conditional write" };
 * ```
 */
export type Without = { readonly [guarantee in KvGuarantee]?: string };

/**
 * What a case is given.
 *
 * @example Usage
 * ```ts
 * import type { ConformanceContext } from "@org/kv/testing";
 *
 * async function run({ store }: ConformanceContext) {
 *   await store.set(["a"], 1);
 * }
 * ```
 */
export interface ConformanceContext {
  /** The store under test: fresh, isolated and empty. */
  readonly store: KvStore;
  /** The guarantees that the store leaves out. */
  readonly without: Without;
  /** Whether time is under control, so that expiry can be checked exactly. */
  readonly exact: boolean;
  /** The most bytes of UTF-8 that a key may take. */
  readonly maxKeyBytes: number;
  /** Returns another client of the same entries. */
  peer(): Promise<KvStore>;
  /** Makes at least that many milliseconds pass. */
  pass(milliseconds: number): Promise<void>;
}

/**
 * One line of the contract, executable.
 *
 * @example Usage
 * ```ts
 * import type { ConformanceCase } from "@org/kv/testing";
 *
 * const example: ConformanceCase = {
 *   section: "Values",
 *   name: "null is a value",
 *   line: "null is a value, different from a missing key",
 *   guarantees: [],
 *   async run({ store }) {
 *     await store.set(["a"], null);
 *     if (await store.get(["a"]) !== null) throw new Error("null is lost");
 *   },
 * };
 * ```
 */
export interface ConformanceCase {
  /** The section of the contract. */
  readonly section: string;
  /** What is shown, as a sentence. */
  readonly name: string;
  /** The line of the contract that a failure breaks. */
  readonly line: string;
  /** The guarantees that the case is about; it is ignored without one of them. */
  readonly guarantees: readonly KvGuarantee[];
  /** Runs the case; it rejects if the store breaks the line. */
  run(context: ConformanceContext): Promise<void>;
}
