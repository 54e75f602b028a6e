// Registers Keyv's own test suite on our stores, through the storage adapter.
import keyvTestSuite, { keyvIteratorTests } from "@keyv/test-suite";
import { Keyv } from "keyv";
import { Keyv5Storage, KeyvStorage } from "../../adapters/keyv.ts";
import { kinds } from "./stores.ts";
import { registerSuite } from "./vitest.ts";

const isKeyv6 = "resolveStore" in Keyv.prototype;
const Storage = isKeyv6 ? KeyvStorage : Keyv5Storage;
const left: Record<string, string> = isKeyv6
  ? {
    ".deleteMany([keys]) with nonexistent keys resolves to false":
      "Keyv 6 returns an array",
  }
  : {};

for (const kind of kinds) {
  registerSuite("Keyv's test suite", kind, (vitest, opened) => {
    const open = () => new Storage(opened().store);
    keyvTestSuite(vitest as never, Keyv as never, open);
    keyvIteratorTests(vitest as never, Keyv as never, open);
  }, left);
}
