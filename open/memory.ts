/** Opens `memory:`. */

import type { Engine } from "./engine.ts";

export const memory: Engine = {
  example: "memory:",
  async open(_url, options) {
    const { MemoryKvStore } = await import("../kv/memory.ts");
    const store = new (MemoryKvStore as new (options: unknown) => InstanceType<
      typeof MemoryKvStore
    >)(options);
    return { store, close() {} };
  },
};
