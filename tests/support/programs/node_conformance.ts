// The conformance suite on the memory store, as a test file of node:test.
import { MemoryKvStore } from "@org/kv";
import { conformance } from "@org/kv/testing";
import test from "node:test";

conformance({
  name: "MemoryKvStore",
  open: () => new MemoryKvStore(),
  test,
});
