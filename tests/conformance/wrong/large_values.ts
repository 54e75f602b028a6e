// Stores that damage large values.
import type { KvKey } from "../../../kv/store.ts";
import { canonical, SimpleStore } from "./simple_store.ts";
import type { WrongStore } from "./wrong_store.ts";

class LimitedValueStore extends SimpleStore {
  override copyIn(value: unknown) {
    if (typeof value === "string" && value.length > 65_536) {
      throw new RangeError("value is too large");
    }
    return super.copyIn(value);
  }
}

class LeftoverStore extends SimpleStore {
  override write(key: KvKey, value: unknown, expiry: number) {
    const old = this.find(key)?.value;
    const rest = typeof old === "string" && typeof value === "string"
      ? old.slice(65_536)
      : "";
    super.write(key, rest ? `${value}${rest}` : value, expiry);
  }
}

class LeadingCasStore extends SimpleStore {
  override equal(value: unknown, expected: unknown) {
    const [left, right] = [canonical(value), canonical(expected)];
    return left.slice(0, 65_536) === right.slice(0, 65_536);
  }
}

/** Writes a large string in two steps, each of which a reader can see. */
class TearingStore extends SimpleStore {
  override async write(key: KvKey, value: unknown, expiry: number) {
    const old = this.find(key)?.value;
    if (typeof value === "string" && value.length > 65_536) {
      const half = value.slice(0, 65_536);
      super.write(key, half + String(old ?? "").slice(65_536), expiry);
      for (let tick = 0; tick < 5; tick++) await undefined;
    }
    super.write(key, value, expiry);
  }
}

export const wrongLargeValues: WrongStore[] = [
  {
    name: "rejects large values",
    Store: LimitedValueStore,
    caughtBy: ["get() and list() return values of 70 KB and 1 MB"],
  },
  {
    name: "leaves chunks of a large value in place",
    Store: LeftoverStore,
    caughtBy: [
      "small and large values replace each other",
    ],
  },
  {
    name: "compares only the beginning of large values",
    Store: LeadingCasStore,
    caughtBy: ["cas() swaps large values"],
  },
  {
    name: "writes large values in parts",
    Store: TearingStore,
    caughtBy: ["a reader never sees a mix of two large values"],
  },
];
