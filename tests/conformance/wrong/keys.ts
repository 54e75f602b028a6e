// Stores that confuse keys.
import { createHash } from "node:crypto";
import type { KvKey } from "../../../kv/store.ts";
import { SimpleStore } from "./simple_store.ts";
import type { WrongStore } from "./wrong_store.ts";

/** A store whose keys are strings, made from the parts in some way. */
abstract class StringKeyStore extends SimpleStore {
  abstract keyOf(key: readonly string[]): string;

  #keys = new Map<string, KvKey>();

  override at(key: KvKey) {
    const known = this.#keys.get(this.keyOf(key));
    return known && super.at(known);
  }

  override write(key: KvKey, value: unknown, expiry: number) {
    const text = this.keyOf(key);
    const known = this.#keys.get(text) ?? key;
    this.#keys.set(text, known);
    super.write(known, value, expiry);
  }
}

class ColonStore extends StringKeyStore {
  keyOf(key: readonly string[]): string {
    return key.join(":");
  }
}

class NulStore extends StringKeyStore {
  keyOf(key: readonly string[]): string {
    return key.join("\0");
  }
}

class CaseStore extends StringKeyStore {
  keyOf(key: readonly string[]): string {
    return JSON.stringify(key).toLowerCase();
  }
}

class NormalizingStore extends StringKeyStore {
  keyOf(key: readonly string[]): string {
    return JSON.stringify(key).normalize();
  }
}

class TenPartsStore extends StringKeyStore {
  keyOf(key: readonly string[]): string {
    return JSON.stringify(key.slice(0, 10));
  }
}

class TextKeyStore extends SimpleStore {
  override checkKey(method: string, key: KvKey) {
    if (typeof key !== "string") super.checkKey(method, key);
  }
}

class TruncatingStore extends StringKeyStore {
  keyOf(key: readonly string[]): string {
    return JSON.stringify(key).slice(0, 2_000);
  }
}

class DigestCollisionStore extends StringKeyStore {
  keyOf(key: readonly string[]): string {
    return JSON.stringify(
      key.map((part) =>
        part.length <= 500
          ? part
          : createHash("sha256").update(part).digest("hex")
      ),
    );
  }
}

class LimitedKeyStore extends SimpleStore {
  override checkKey(method: string, key: KvKey) {
    super.checkKey(method, key);
    if (JSON.stringify(key).length > 2_048) {
      throw new RangeError("the key is longer than 2048: received more");
    }
  }
}

class UnlimitedKeyStore extends SimpleStore {
  override checkKey(method: string, key: KvKey) {
    try {
      super.checkKey(method, key);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
    }
  }
}

class UnlistedLongKeyStore extends SimpleStore {
  override startsWith(key: readonly string[], prefix: readonly string[]) {
    const long = prefix.some((part) => part.length > 500);
    return super.startsWith(key, prefix) &&
      (!long || key.length === prefix.length);
  }
}

class LoneSurrogateStore extends SimpleStore {
  override checkKey(method: string, key: KvKey) {
    const known = Array.isArray(key) &&
      key.every((part) => typeof part === "string");
    const formed = known ? key.map((part) => part.toWellFormed()) : key;
    super.checkKey(method, formed as unknown as KvKey);
  }
}

class EmptyKeyStore extends SimpleStore {
  override checkKey(method: string, key: KvKey) {
    super.checkKey(
      Array.isArray(key) && key.length === 0 ? "list" : method,
      key,
    );
  }
}

class StringifyingStore extends SimpleStore {
  override checkKey(method: string, key: KvKey) {
    const parts = Array.isArray(key) ? key.map(() => "") : key;
    super.checkKey(method, parts as unknown as KvKey);
  }
}

class ThrowingStore extends SimpleStore {
  override get<T>(key: KvKey): Promise<T | undefined> {
    this.checkKey("get", key);
    return super.get<T>(key);
  }
}

class NamelessPartStore extends SimpleStore {
  override checkKey(method: string, key: KvKey) {
    try {
      super.checkKey(method, key);
    } catch (error) {
      throw error instanceof TypeError ? new TypeError("a bad key") : error;
    }
  }
}

export const wrongKeys: WrongStore[] = [
  {
    name: "joins the parts of a key with a colon",
    Store: ColonStore,
    caughtBy: [
      "every pair of hostile parts is a separate key",
      "list() yields every pair of hostile parts exactly under its prefixes",
      "delete() leaves every other hostile key in place",
      "a key with joined parts differs from the key with separate parts",
    ],
  },
  {
    name: "joins the parts of a key with NUL",
    Store: NulStore,
    caughtBy: [
      "every pair of hostile parts is a separate key",
      "a key with joined parts differs from the key with separate parts",
      "keys made of separators and escape characters stay apart",
    ],
  },
  {
    name: "ignores the case of keys",
    Store: CaseStore,
    caughtBy: ["every pair of hostile parts is a separate key"],
  },
  {
    name: "normalizes keys",
    Store: NormalizingStore,
    caughtBy: ["every pair of hostile parts is a separate key"],
  },
  {
    name: "distinguishes keys by their first ten parts only",
    Store: TenPartsStore,
    caughtBy: ["a key with a hundred parts works like any other key"],
  },
  {
    name: "accepts a string as a key",
    Store: TextKeyStore,
    caughtBy: ["every method rejects a key that is not an array"],
  },
  {
    name: "truncates long keys",
    Store: TruncatingStore,
    caughtBy: ["long keys that differ only in their last character stay apart"],
  },
  {
    name: "confuses a key with the digest of another key",
    Store: DigestCollisionStore,
    caughtBy: [
      "a key that looks like the digest of another key stays apart from it",
    ],
  },
  {
    name: "rejects keys that its backend cannot hold",
    Store: LimitedKeyStore,
    caughtBy: [
      "long keys that differ only in their last character stay apart",
      "list() keeps short keys in order among long keys",
      "cas() swaps entries with long keys",
      "an entry with a long key is absent after its expiry",
      "set() stores a key of exactly 8 KiB",
    ],
  },
  {
    name: "accepts keys of any size",
    Store: UnlimitedKeyStore,
    caughtBy: [
      "every method rejects a key over 8 KiB and names its size and the limit",
    ],
  },
  {
    name: "lists no keys under long prefixes",
    Store: UnlistedLongKeyStore,
    caughtBy: ["list() yields long keys in full under each of their prefixes"],
  },
  {
    name: "accepts parts with lone surrogates",
    Store: LoneSurrogateStore,
    caughtBy: [
      "every method rejects a part with a lone surrogate and names the part",
      "a call with an invalid key leaves existing entries in place",
    ],
  },
  {
    name: "accepts an empty key",
    Store: EmptyKeyStore,
    caughtBy: ["every method rejects an empty key"],
  },
  {
    name: "accepts parts that are not strings",
    Store: StringifyingStore,
    caughtBy: [
      "every method rejects a part that is not a string and names the part",
    ],
  },
  {
    name: "throws synchronously instead of rejecting",
    Store: ThrowingStore,
    caughtBy: ["every method rejects an empty key"],
  },
  {
    name: "does not name the invalid part",
    Store: NamelessPartStore,
    caughtBy: [
      "every method rejects a part that is not a string and names the part",
      "every method rejects a part with a lone surrogate and names the part",
    ],
  },
];
