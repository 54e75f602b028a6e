// The conformance suite on the memory store, as a test file of Vitest.
import { MemoryKvStore } from "@org/kv";
import { conformance, type ConformanceRunner } from "@org/kv/testing";
// @ts-ignore TS2307: it is found where the bundled file runs.
import { test } from "vitest";

conformance({
  name: "MemoryKvStore",
  open: () => new MemoryKvStore(),
  test: test as ConformanceRunner,
});
