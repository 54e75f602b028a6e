/** Opens `memory:`. */

import { checkOptions } from "../kv/core/options.ts";
import type { Engine } from "./engine.ts";

export const memory: Engine = {
  example: "memory:",
  async open(_url, options) {
    const { MemoryKvStore } = await import("../kv/memory.ts");
    checkOptions("open a store in memory", options, {});
    const store = new (MemoryKvStore as new (options: unknown) => InstanceType<
      typeof MemoryKvStore
    >)(options);
    return { store, close() {} };
  },
};
