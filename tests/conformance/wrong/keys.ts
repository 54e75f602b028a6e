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
  override check(method: string, key: KvKey) {
    if (typeof key !== "string") super.check(method, key);
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
  override check(method: string, key: KvKey) {
    super.check(method, key);
    if (JSON.stringify(key).length > 2_048) {
      throw new RangeError("the key is longer than 2048: received more");
    }
  }
}

class UnlimitedKeyStore extends SimpleStore {
  override check(method: string, key: KvKey) {
    try {
      super.check(method, key);
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
  override check(method: string, key: KvKey) {
    const known = Array.isArray(key) &&
      key.every((part) => typeof part === "string");
    const formed = known ? key.map((part) => part.toWellFormed()) : key;
    super.check(method, formed as unknown as KvKey);
  }
}

class EmptyKeyStore extends SimpleStore {
  override check(method: string, key: KvKey) {
    super.check(Array.isArray(key) && key.length === 0 ? "list" : method, key);
  }
}

class StringifyingStore extends SimpleStore {
  override check(method: string, key: KvKey) {
    const parts = Array.isArray(key) ? key.map(() => "") : key;
    super.check(method, parts as unknown as KvKey);
  }
}

class ThrowingStore extends SimpleStore {
  override get<T>(key: KvKey): Promise<T | undefined> {
    this.check("get", key);
    return super.get<T>(key);
  }
}

class NamelessPartStore extends SimpleStore {
  override check(method: string, key: KvKey) {
    try {
      super.check(method, key);
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
      "every pair of hostile parts is a key of its own",
      "every pair of hostile parts is listed exactly under its prefixes",
      "delete() deletes no other of the hostile keys",
      "a key of one part is not the key whose parts it joins",
    ],
  },
  {
    name: "joins the parts of a key with NUL",
    Store: NulStore,
    caughtBy: [
      "every pair of hostile parts is a key of its own",
      "a key of one part is not the key whose parts it joins",
      "up to three parts of what encodings end and escape parts with",
    ],
  },
  {
    name: "ignores the case of keys",
    Store: CaseStore,
    caughtBy: ["every pair of hostile parts is a key of its own"],
  },
  {
    name: "normalizes keys",
    Store: NormalizingStore,
    caughtBy: ["every pair of hostile parts is a key of its own"],
  },
  {
    name: "tells keys apart by ten parts alone",
    Store: TenPartsStore,
    caughtBy: ["a key of a hundred parts works as any other"],
  },
  {
    name: "takes a text for a key",
    Store: TextKeyStore,
    caughtBy: ["every method refuses a key that is no array"],
  },
  {
    name: "truncates long keys",
    Store: TruncatingStore,
    caughtBy: ["long keys that differ only in their last character are apart"],
  },
  {
    name: "takes a key that looks like the digest of another for that one",
    Store: DigestCollisionStore,
    caughtBy: ["a key that looks like the digest of another is not that one"],
  },
  {
    name: "refuses keys that its backend cannot hold",
    Store: LimitedKeyStore,
    caughtBy: [
      "long keys that differ only in their last character are apart",
      "short keys stay in order among long ones",
      "cas() works on long keys",
      "an expired long key is absent",
      "a key of 8 KiB is stored, whatever it is made of",
    ],
  },
  {
    name: "takes keys of any size",
    Store: UnlimitedKeyStore,
    caughtBy: [
      "every method refuses a key of one byte more, with size and limit",
    ],
  },
  {
    name: "lists no keys under long prefixes",
    Store: UnlistedLongKeyStore,
    caughtBy: ["long keys are listed whole, under each of their prefixes"],
  },
  {
    name: "takes parts with lone surrogates",
    Store: LoneSurrogateStore,
    caughtBy: [
      "every method refuses a part with a lone surrogate, and names it",
      "a call with a bad key leaves what was there",
    ],
  },
  {
    name: "takes an empty key",
    Store: EmptyKeyStore,
    caughtBy: ["every method refuses an empty key"],
  },
  {
    name: "takes parts that are no strings",
    Store: StringifyingStore,
    caughtBy: ["every method refuses a part that is no string, and names it"],
  },
  {
    name: "throws at once, instead of rejecting",
    Store: ThrowingStore,
    caughtBy: ["every method refuses an empty key"],
  },
  {
    name: "does not name the bad part",
    Store: NamelessPartStore,
    caughtBy: [
      "every method refuses a part that is no string, and names it",
      "every method refuses a part with a lone surrogate, and names it",
    ],
  },
];
