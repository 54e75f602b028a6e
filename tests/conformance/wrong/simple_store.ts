/**
 * A correct store, as simple as can be, for others to be wrong by one detail.
 *
 * @module
 */
import type {
  KvKey,
  KvKeyEntry,
  KvListOptions,
  KvProgressOptions,
  KvStore,
  KvStoreListEntry,
  KvStoreSetOptions,
} from "../../../kv/store.ts";
import type { OpenedStore } from "../../../testing/mod.ts";

export interface Entry {
  key: KvKey;
  value: unknown;
  expiry: number;
}

/** A sorted array of entries, with its own clock. */
export class SimpleStore implements KvStore {
  now = Date.UTC(2024, 0, 31);
  readonly behind = Date.now() - this.now;
  entries: Entry[] = [];
  pending = 0;

  /** Returns another client of the same entries. */
  peer(): SimpleStore {
    return this;
  }

  // deno-lint-ignore require-await
  async get<T>(key: KvKey): Promise<T | undefined> {
    this.checkKey("get", key);
    return this.read(key) as T | undefined;
  }

  async set(
    key: KvKey,
    value: unknown,
    options?: KvStoreSetOptions,
  ): Promise<void> {
    this.checkKey("set", key);
    this.checkOptions("set", options ?? {}, ["ttl", "expires"]);
    const expiry = this.endOf(options);
    const copy = this.copyIn(value);
    await this.write(key, copy, expiry);
  }

  async delete(key: KvKey): Promise<void> {
    this.checkKey("delete", key);
    await this.write(key, undefined, Infinity);
  }

  // deno-lint-ignore require-await
  async cas(
    key: KvKey,
    expectedValue: unknown,
    newValue: unknown,
    options?: KvStoreSetOptions,
  ): Promise<boolean> {
    this.checkKey("cas", key);
    this.checkOptions("cas", options ?? {}, ["ttl", "expires"]);
    const expiry = this.endOf(options);
    const expected = this.copyIn(expectedValue);
    const value = this.copyIn(newValue);
    if (!this.equal(this.find(key)?.value, expected)) return false;
    this.write(key, value, expiry);
    return true;
  }

  list(
    prefix: KvKey | readonly [] = [],
    options: KvListOptions = {},
  ): AsyncIterable<KvStoreListEntry> {
    this.checkKey("list", prefix);
    this.checkOptions("list", options, listOptions);
    if (options.after !== undefined) {
      this.checkKey("get", options.after);
      this.checkAfter(options.after, prefix);
    }
    return this.select([...prefix], options);
  }

  async *select(
    prefix: readonly string[],
    options: KvListOptions,
  ): AsyncGenerator<KvStoreListEntry> {
    const { limit = Infinity, after, reverse = false, signal } = options;
    signal?.throwIfAborted();
    if (limit === 0) return;
    const entries = after === undefined && !reverse
      ? this.walk(prefix)
      : this.rest(prefix, after, reverse);
    let count = 0;
    for await (const { key, value } of entries) {
      signal?.throwIfAborted();
      const expires = this.expires(this.at(key));
      yield expires === undefined ? { key, value } : { key, value, expires };
      if (++count >= limit) return;
    }
  }

  /** The entries after a key, or before it in reverse. */
  rest(
    prefix: readonly string[],
    after: KvKey | undefined,
    reverse: boolean,
  ): Iterable<Entry> {
    const entries = this.under(prefix).filter(({ key }) =>
      after === undefined ||
      (reverse ? this.compare(key, after) < 0 : this.compare(key, after) > 0)
    ).map((entry) => ({ ...entry, value: this.copyOut(entry.value) }));
    return reverse ? entries.reverse() : entries;
  }

  async *keys(
    prefix?: KvKey | readonly [],
    options?: KvListOptions,
  ): AsyncGenerator<KvKeyEntry> {
    for await (const { key, expires } of this.list(prefix, options)) {
      yield expires === undefined ? { key } : { key, expires };
    }
  }

  // deno-lint-ignore require-await
  async count(
    prefix: KvKey | readonly [] = [],
    options: KvProgressOptions = {},
  ): Promise<number> {
    this.checkKey("list", prefix);
    this.checkOptions("count", options, progressOptions);
    options.signal?.throwIfAborted();
    const { length } = this.under(prefix);
    options.onProgress?.(length);
    return length;
  }

  async clear(
    prefix: KvKey | readonly [] = [],
    options: KvProgressOptions = {},
  ): Promise<number> {
    this.checkKey("list", prefix);
    this.checkOptions("clear", options, progressOptions);
    options.signal?.throwIfAborted();
    const entries = this.under(prefix);
    for (let count = 0; count < entries.length;) {
      const step = entries.slice(count, count + 256);
      for (const { key } of step) await this.write(key, undefined, Infinity);
      count += step.length;
      options.onProgress?.(count);
      options.signal?.throwIfAborted();
    }
    if (entries.length === 0) options.onProgress?.(0);
    return entries.length;
  }

  // deno-lint-ignore require-await
  async sweep(options: KvProgressOptions = {}): Promise<number> {
    this.checkOptions("sweep", options, progressOptions);
    options.signal?.throwIfAborted();
    const { length } = this.entries;
    this.entries = this.entries.filter((entry) => this.alive(entry));
    return length - this.entries.length;
  }

  async check(): Promise<void> {}

  under(prefix: readonly string[]): Entry[] {
    return this.entries.filter((entry) =>
      this.startsWith(entry.key, prefix) && this.listed(entry)
    );
  }

  /** When an entry expires, by the clock of the process. */
  expires(entry: Entry | undefined): number | undefined {
    if (entry === undefined || entry.expiry === Infinity) return undefined;
    return entry.expiry + this.behind;
  }

  checkOptions(
    method: string,
    options: object,
    known: readonly string[],
  ): void {
    checkOptions(method, options, known);
  }

  checkAfter(after: KvKey, prefix: readonly string[]): void {
    if (this.startsWith(after, prefix)) return;
    throw new RangeError("Cannot list: after must start with the prefix");
  }

  async *walk(prefix: readonly string[]): AsyncGenerator<KvStoreListEntry> {
    let last: KvKey | undefined;
    while (true) {
      await undefined;
      const at = last === undefined ? 0 : this.after(last);
      const entry = this.next(at, prefix);
      if (entry === undefined) return;
      last = entry.key;
      yield {
        key: [...entry.key] as unknown as KvKey,
        value: this.copyOut(entry.value),
      };
    }
  }

  next(at: number, prefix: readonly string[]): Entry | undefined {
    for (; at < this.entries.length; at++) {
      const entry = this.entries[at]!;
      if (this.startsWith(entry.key, prefix) && this.listed(entry)) {
        return entry;
      }
    }
    return undefined;
  }

  checkKey(method: string, key: KvKey | readonly []): void {
    checkKey(method, key);
  }

  read(key: KvKey): unknown {
    const entry = this.find(key);
    return entry && this.copyOut(entry.value);
  }

  find(key: KvKey): Entry | undefined {
    const entry = this.at(key);
    return entry && this.alive(entry) ? entry : undefined;
  }

  at(key: KvKey): Entry | undefined {
    const entry = this.entries[this.after(key) - 1];
    return entry && this.compare(entry.key, key) === 0 ? entry : undefined;
  }

  write(key: KvKey, value: unknown, expiry: number): void | Promise<void> {
    const after = this.after(key);
    const start = this.at(key) ? after - 1 : after;
    const entry = { key: [...key] as unknown as KvKey, value, expiry };
    const entries = this.kept(entry) ? [entry] : [];
    this.entries.splice(start, after - start, ...entries);
  }

  kept({ value, expiry }: Entry): boolean {
    return value !== undefined && expiry > this.now;
  }

  /** Returns the index of the first entry behind the key. */
  after(key: KvKey): number {
    let [low, high] = [0, this.entries.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.compare(this.entries[middle]!.key, key) > 0) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  alive({ expiry }: Entry): boolean {
    return expiry > this.now;
  }

  listed(entry: Entry): boolean {
    return this.alive(entry);
  }

  compare(a: readonly string[], b: readonly string[]): number {
    return compareKeys(a, b);
  }

  startsWith(key: readonly string[], prefix: readonly string[]): boolean {
    return prefix.every((part, i) => key[i] === part);
  }

  copyIn(value: unknown): unknown {
    return copy(value, "value", []);
  }

  copyOut(value: unknown): unknown {
    return copy(value, "value", []);
  }

  equal(value: unknown, expected: unknown): boolean {
    return equal(value, expected);
  }

  endOf({ ttl, expires }: KvStoreSetOptions = {}): number {
    if (expires === undefined) return this.expiryOf(ttl);
    if (ttl !== undefined) throw new TypeError("Cannot set: ttl and expires");
    return this.momentOf(expires);
  }

  /** An expiry by the clock of the store. */
  momentOf(expires: unknown): number {
    if (!Number.isFinite(expires)) {
      throw new TypeError("Cannot set: expires must be finite");
    }
    return Math.ceil(expires as number) - this.behind;
  }

  expiryOf(ttl: unknown): number {
    return ttl === undefined
      ? Infinity
      : this.now + milliseconds(ttl, this.now);
  }
}

export function compareKeys(
  a: readonly string[],
  b: readonly string[],
): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const order = compareParts(a[i]!, b[i]!);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

function compareParts(a: string, b: string): number {
  if (a === b) return 0;
  let at = 0;
  while (at < a.length && a[at] === b[at]) at++;
  return (a.codePointAt(at) ?? -1) - (b.codePointAt(at) ?? -1);
}

const listOptions = ["limit", "after", "reverse", "signal"];
const progressOptions = ["signal", "onProgress"];

function checkOptions(
  method: string,
  options: unknown,
  known: readonly string[],
): void {
  if (typeof options !== "object" || options === null) {
    throw new TypeError(`Cannot ${method}: options must be an object`);
  }
  for (const [name, value] of Object.entries(options)) {
    const wrong = `Cannot ${method}: wrong option ${name}`;
    if (!known.includes(name)) throw new TypeError(wrong);
    if (value === undefined) continue;
    if (name === "signal" && !(value instanceof AbortSignal)) {
      throw new TypeError(wrong);
    }
    if (
      (name === "limit" && typeof value !== "number") ||
      (name === "reverse" && typeof value !== "boolean") ||
      (name === "onProgress" && typeof value !== "function")
    ) throw new TypeError(wrong);
    if (name === "limit" && value !== Infinity) {
      if (!Number.isInteger(value) || value < 0) throw new RangeError(wrong);
    }
  }
}

const encoder = new TextEncoder();

function checkKey(method: string, key: unknown): void {
  const action = `Cannot ${method}`;
  if (!Array.isArray(key)) {
    throw new TypeError(`${action}: a key must be an array: received ${key}`);
  }
  if (key.length === 0 && method !== "list") {
    throw new TypeError(`${action} []: a key must have one or more parts`);
  }
  let size = 0;
  for (const [i, part] of key.entries()) {
    if (typeof part !== "string") {
      throw new TypeError(`${action}: part ${i} must be a string`);
    }
    if (!part.isWellFormed()) {
      throw new TypeError(`${action}: part ${i} has a lone surrogate`);
    }
    size += encoder.encode(part).length;
  }
  if (size > 8192) {
    throw new RangeError(
      `${action}: a key must take at most 8192 bytes: received ${size}`,
    );
  }
}

function milliseconds(ttl: unknown, now: number): number {
  const duration = ttl as Partial<Temporal.Duration> | null;
  const total = typeof ttl === "number"
    ? ttl
    : duration instanceof Temporal.Duration
    ? duration.total({ unit: "milliseconds", relativeTo: startingAt(now) })
    : typeof duration?.total === "function"
    ? duration.total("milliseconds")
    : undefined;
  if (!Number.isFinite(total)) {
    throw new TypeError("Cannot set: ttl must be finite");
  }
  return Math.ceil(total!);
}

function startingAt(now: number): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(now).toZonedDateTimeISO("UTC");
}

function copy(value: unknown, path: string, parents: unknown[]): unknown {
  if (
    typeof value === "function" || typeof value === "symbol" ||
    value instanceof RegExp || parents.includes(value)
  ) {
    throw new TypeError(`Cannot set: ${path} cannot be stored`);
  }
  if (Object.is(value, -0)) return 0;
  if (typeof value !== "object" || value === null) return value;
  const inside = [...parents, value];
  if (value instanceof Date) return new Date(value);
  if (value instanceof ArrayBuffer) return value.slice();
  if (value instanceof Map) {
    return new Map(copy([...value], path, inside) as [unknown, unknown][]);
  }
  if (value instanceof Set) {
    return new Set(copy([...value], path, inside) as unknown[]);
  }
  if (ArrayBuffer.isView(value)) return structuredClone(trimmed(value));
  if (Array.isArray(value)) {
    return Array.from(value, (item, i) => copy(item, `${path}[${i}]`, inside));
  }
  if ("toJSON" in value && typeof value.toJSON === "function") {
    return copy(value.toJSON(), path, inside);
  }
  const members = Object.entries(value)
    .map(([name, member]) => [name, copy(member, `${path}.${name}`, inside)])
    .filter(([, member]) => member !== undefined);
  return Object.fromEntries(members);
}

/** Returns the bytes of a view alone, and no subclass. */
function trimmed(view: ArrayBufferView): ArrayBufferView {
  const { buffer, byteOffset, byteLength } = structuredClone(view);
  const name = Object.prototype.toString.call(view).slice(8, -1);
  const Type = Reflect.get(globalThis, name) as typeof Uint8Array;
  return new Type(buffer.slice(byteOffset, byteOffset + byteLength));
}

function equal(a: unknown, b: unknown): boolean {
  return canonical(a) === canonical(b);
}

/** Returns a text that is the same for values with the same content. */
export function canonical(value: unknown): string {
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value !== "object" || value === null) return String(value);
  if (value instanceof Date) return `Date(${value.getTime()})`;
  if (value instanceof Map) return `Map${sorted(value)}`;
  if (value instanceof Set) return `Set${sorted(value)}`;
  if (value instanceof ArrayBuffer) return `Buffer(${new Uint8Array(value)})`;
  if (ArrayBuffer.isView(value)) {
    const { buffer, byteOffset, byteLength } = value;
    const bytes = new Uint8Array(buffer, byteOffset, byteLength);
    return `${value.constructor.name}(${bytes})`;
  }
  if (Array.isArray(value)) return `[${value.map(canonical)}]`;
  return `{${sorted(Object.entries(value))}}`;
}

function sorted(items: Iterable<unknown>): string {
  return `(${Array.from(items, canonical).sort()})`;
}

/** A store as a case of the suite uses it, with control over its clock. */
export function openedSimple(store: SimpleStore): OpenedStore {
  // An expiry that a case reckons by the process's clock is exact, too.
  const { now } = Date;
  Date.now = () => store.now + store.behind;
  return {
    close: () => void (Date.now = now),
    store,
    peer: () => store.peer(),
    advance(milliseconds) {
      store.now += milliseconds;
    },
  };
}
