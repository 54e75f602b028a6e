// The model: what a store holds, as simple as can be.
import type { KvKey } from "../../kv/store.ts";
import { expected, type Spec } from "./values.ts";

/** An entry of the model. */
export interface Entry {
  readonly key: KvKey;
  readonly spec: Spec;
  readonly expiry: number;
  /** What `list()` must tell about it, if its expiry was given as a moment. */
  readonly expires: number | undefined;
}

/** How long an entry lives: a TTL, and the moment if that is what is given. */
export interface Life {
  readonly ttl: number;
  readonly expires?: number;
}

/** A store that is right because it is simple. */
export class Model {
  now = 0;
  readonly #entries = new Map<string, Entry>();

  get(key: KvKey): Entry | undefined {
    const entry = this.#entries.get(JSON.stringify(key));
    return entry && entry.expiry > this.now ? entry : undefined;
  }

  set(key: KvKey, spec: Spec | undefined, life: Life | undefined): void {
    const name = JSON.stringify(key);
    const expiry = life ? this.now + Math.ceil(life.ttl) : Infinity;
    const expires = life?.expires && Math.ceil(life.expires);
    if (spec === undefined || expiry <= this.now) this.#entries.delete(name);
    else this.#entries.set(name, { key, spec, expiry, expires });
  }

  cas(
    key: KvKey,
    wanted: Spec | undefined,
    spec: Spec | undefined,
    life: Life | undefined,
  ): boolean {
    const entry = this.get(key);
    const equal = wanted === undefined || entry === undefined
      ? wanted === entry?.spec
      : canonical(expected(wanted)) === canonical(expected(entry.spec));
    if (equal) this.set(key, spec, life);
    return equal;
  }

  list(prefix: readonly string[]): Entry[] {
    return [...this.#entries.values()].filter(({ key, expiry }) =>
      expiry > this.now && prefix.every((part, i) => key[i] === part)
    );
  }

  clear(): void {
    this.#entries.clear();
  }
}

/** A text that equal values share, whatever the order of their members. */
export function canonical(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value !== "object" || value === null) return String(value);
  if (Array.isArray(value)) return `[${value.map(canonical)}]`;
  if (value instanceof Date) return `date ${value.getTime()}`;
  if (value instanceof Map) {
    return `map {${[...value].map(canonical).sort()}}`;
  }
  if (value instanceof Set) return `set {${[...value].map(canonical).sort()}}`;
  if (value instanceof ArrayBuffer) {
    return `ArrayBuffer ${new Uint8Array(value)}`;
  }
  if (ArrayBuffer.isView(value)) {
    const { buffer, byteOffset, byteLength } = value;
    const bytes = new Uint8Array(buffer, byteOffset, byteLength);
    return `${value.constructor.name} ${bytes}`;
  }
  const members = Object.keys(value).sort().map((name) =>
    `${JSON.stringify(name)}:${canonical(Reflect.get(value, name))}`
  );
  return `{${members}}`;
}
