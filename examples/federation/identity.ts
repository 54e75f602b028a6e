// Actors whose key pairs live in the store.
import {
  exportJwk,
  generateCryptoKeyPair,
  importJwk,
  type KvStore,
} from "@fedify/fedify";

/** The key pairs of an actor. */
export interface Identity {
  readonly keyPairs: CryptoKeyPair[];
  /** Whether they were just made, rather than read from the store. */
  readonly created: boolean;
}

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

const KEY = ["demo", "keyPairs"] as const;

/** Reads the key pairs from the store, or makes them if they are missing. */
export async function loadIdentity(kv: KvStore): Promise<Identity> {
  const stored = await kv.get<KeyPairJwk[]>(KEY);
  if (stored != null) {
    const keyPairs = await Promise.all(stored.map(importKeyPair));
    return { keyPairs, created: false };
  }
  const keyPairs = [
    await crypto.subtle.generateKey(RSA_2048, true, ["sign", "verify"]),
    await generateCryptoKeyPair("Ed25519"),
  ];
  await kv.set(KEY, await Promise.all(keyPairs.map(exportKeyPair)));
  return { keyPairs, created: true };
}

async function exportKeyPair(pair: CryptoKeyPair): Promise<KeyPairJwk> {
  return {
    publicKey: await exportJwk(pair.publicKey),
    privateKey: await exportJwk(pair.privateKey),
  };
}

async function importKeyPair(pair: KeyPairJwk): Promise<CryptoKeyPair> {
  return {
    publicKey: await importJwk(pair.publicKey, "public"),
    privateKey: await importJwk(pair.privateKey, "private"),
  };
}
