// The key pairs of the worker's actors, kept in the store.
import {
  exportJwk,
  generateCryptoKeyPair,
  importJwk,
  type KvStore,
} from "@fedify/fedify";

interface KeyPairJwk {
  readonly publicKey: JsonWebKey;
  readonly privateKey: JsonWebKey;
}

// As Mastodon's keys are; Fedify's own, of twice the bits, take seconds to make.
const RSA_2048 = {
  name: "RSASSA-PKCS1-v1_5",
  modulusLength: 2048,
  publicExponent: new Uint8Array([1, 0, 1]),
  hash: "SHA-256",
} as const;

const KEY = ["keyPairs"] as const;

/** Reads the key pairs of the actor, or makes them if they are missing. */
export async function loadKeyPairs(kv: KvStore): Promise<CryptoKeyPair[]> {
  const stored = await kv.get<KeyPairJwk[]>(KEY);
  if (stored !== undefined) return await importKeyPairs(stored);
  const made = await Promise.all([
    crypto.subtle.generateKey(RSA_2048, true, ["sign", "verify"]),
    generateCryptoKeyPair("Ed25519"),
  ]);
  const pairs = await Promise.all(made.map(exportKeyPair));
  // Of two first requests at once, one makes the keys. Without `cas`, as on
  // Workers KV, the last one does: visit the actor once before federating.
  if (kv.cas === undefined) await kv.set(KEY, pairs);
  else if (!await kv.cas(KEY, undefined, pairs)) return await loadKeyPairs(kv);
  return made;
}

async function exportKeyPair(pair: CryptoKeyPair): Promise<KeyPairJwk> {
  return {
    publicKey: await exportJwk(pair.publicKey),
    privateKey: await exportJwk(pair.privateKey),
  };
}

async function importKeyPairs(pairs: KeyPairJwk[]): Promise<CryptoKeyPair[]> {
  return await Promise.all(pairs.map(async (pair) => ({
    publicKey: await importJwk(pair.publicKey, "public"),
    privateKey: await importJwk(pair.privateKey, "private"),
  })));
}
