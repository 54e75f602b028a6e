// The conformance suite on the memory store, as a test file of Jest.
import { MemoryKvStore } from "@org/kv";
import { conformance, type ConformanceRunner } from "@org/kv/testing";

declare const test: ConformanceRunner;

conformance({
  name: "MemoryKvStore",
  open: () => new MemoryKvStore(),
  test,
});
