/**
 * The conformance suite: the contract, executable. What the author of a driver
 * imports to prove their own driver.
 *
 * ```ts ignore
 * import { conformance } from "@org/kv/testing";
 * import { MyKvStore } from "./my_kv_store.ts";
 *
 * conformance({ name: "MyKvStore", open: () => new MyKvStore() });
 * ```
 *
 * @module
 */
export * from "./suite.ts";
export * from "./run.ts";
export * from "./cases.ts";
export type * from "./case.ts";
export { ConformanceError } from "./expect.ts";
export { type Cut, FaultProxy } from "./fault_proxy.ts";
export type {
  KvGuarantee,
  KvKey,
  KvListOptions,
  KvStore,
  KvStoreListEntry,
  KvStoreSetOptions,
  Ttl,
} from "../kv/store.ts";
