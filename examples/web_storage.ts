/**
 * A driver for Web Storage, the `localStorage` and `sessionStorage` of browsers
 * and of Deno. The guide "Writing a driver" builds it step by step.
 *
 * @module
 */
import {
  compareStrings,
  decodeKey,
  decodeValue,
  encodeKey,
  encodeValue,
  keyRange,
  type KvCall,
  KvCasDriver,
  type KvCodec,
  type KvPageRequest,
  type KvStoredEntry,
  type KvStoreTraits,
} from "@org/kv/driver";

/** JSON unchanged; CBOR as base64 after a prefix that no JSON text starts with. */
const codec: KvCodec<string> = {
  encode(value) {
    const encoded = encodeValue(value);
    return encoded instanceof Uint8Array
      ? `cbor:${encoded.toBase64()}`
      : encoded;
  },
  decode: (stored) =>
    stored.startsWith("cbor:")
      ? decodeValue(Uint8Array.fromBase64(stored.slice(5)))
      : decodeValue(stored),
  bytes: (stored) => stored.length,
};

/** A store in `localStorage` or `sessionStorage`. */
export class WebStorageKvStore extends KvCasDriver<string> {
  readonly traits: KvStoreTraits = {
    driver: "web-storage",
    persistent: true,
    shared: "process",
    maxValueBytes: 10_000_000,
    without: {
      streaming: "Web Storage has no order, so keys are sorted first",
    },
  };

  readonly #storage: Storage;
  readonly #namespace: string;

  constructor(storage: Storage, namespace = "kv:") {
    super({ codec, sequential: true });
    this.#storage = storage;
    this.#namespace = namespace;
  }

  protected override execute(calls: readonly KvCall<string>[]): void {
    for (const call of calls) {
      try {
        this.#apply(call);
      } catch (error) {
        call.reject(error); // most likely the quota: nothing was changed
      }
    }
  }

  #apply(call: KvCall<string>): void {
    const { id, value, expiry = Infinity } = call;
    if (call.kind === "get") return call.found(this.#read(id)?.stored);
    if (call.kind === "cas" && !call.matches(this.#read(id)?.stored)) {
      return call.resolve(false);
    }
    const name = this.#namespace + id;
    if (value === undefined) this.#storage.removeItem(name);
    else this.#storage.setItem(name, `${expiry} ${value}`);
    call.resolve(true);
  }

  /** An item is the expiry, a space and the value. */
  #read(id: string): { stored: string; expiry: number } | undefined {
    const name = this.#namespace + id;
    const item = this.#storage.getItem(name);
    if (item === null) return undefined;
    const space = item.indexOf(" ");
    const expiry = Number(item.slice(0, space));
    if (expiry > Date.now()) return { stored: item.slice(space + 1), expiry };
    this.#storage.removeItem(name);
    return undefined;
  }

  protected override async *pages(
    prefix: readonly string[],
    { after, reverse }: KvPageRequest,
  ): AsyncGenerator<KvStoredEntry<string>[]> {
    const { start, end } = keyRange(prefix);
    const ids: string[] = [];
    for (let i = 0; i < this.#storage.length; i++) {
      const name = this.#storage.key(i)!;
      if (!name.startsWith(this.#namespace)) continue;
      const id = name.slice(this.#namespace.length);
      if (compareStrings(id, start) < 0) continue;
      if (end === undefined || compareStrings(id, end) < 0) ids.push(id);
    }
    ids.sort(compareStrings);
    if (reverse) ids.reverse();
    const last = after && encodeKey(after);
    for (const id of ids) {
      if (last !== undefined) {
        const order = compareStrings(id, last);
        if (reverse ? order >= 0 : order <= 0) continue;
      }
      const read = this.#read(id);
      if (read === undefined) continue;
      yield [{ key: decodeKey(id), value: read.stored, expiry: read.expiry }];
    }
  }
}
