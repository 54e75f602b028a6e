// What a wrong store is: how to open it, and the case that must fail on it.
import type { SimpleStore } from "./simple_store.ts";

/** A store that breaks the contract in one way. */
export interface WrongStore {
  /** What it does wrong. */
  readonly name: string;
  /** The store. */
  readonly Store: new () => SimpleStore;
  /** The names of the cases that must catch it. */
  readonly caughtBy: readonly string[];
}
