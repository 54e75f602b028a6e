import { MemoryKvStore } from "../kv/memory.ts";
import { conformance } from "../testing/mod.ts";

conformance({ name: "MemoryKvStore", open: () => new MemoryKvStore() });
