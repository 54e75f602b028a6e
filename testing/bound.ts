// Ends a case that a wrong store would keep running forever.
import type { KvStore, KvStoreListEntry } from "../kv/store.ts";
import { ConformanceError } from "./expect.ts";
import { now } from "./time.ts";

/** More entries than any case stores. */
const maxListed = 20_000;

/**
 * The time limit of one case.
 *
 * A timer alone cannot end a case: no timer fires while a store that answers in
 * microtasks lists entries without end. So each call and each listed entry
 * checks the limit too. A clock may stand still meanwhile, as in workerd, so
 * the number of entries is limited as well.
 */
export class Bound {
  /** Why the case was ended. */
  error: ConformanceError | undefined;
  readonly #timeLimit: number;
  readonly #end: number;

  constructor(timeLimit: number) {
    this.#timeLimit = timeLimit;
    this.#end = now() + timeLimit;
  }

  /** Ends the case: from now on every call throws. */
  stop(
    message = `it did not end within ${this.#timeLimit} ms`,
  ): ConformanceError {
    return this.error ??= new ConformanceError(message);
  }

  /** Throws if the case was ended or has run for too long. */
  check(): void {
    if (this.error === undefined && now() < this.#end) return;
    throw this.stop();
  }

  /** Returns the store with every call and every listing under the limit. */
  limit(store: KvStore): KvStore {
    return new Proxy(store, {
      get: (target, name) => {
        const member = Reflect.get(target, name, target);
        if (typeof member !== "function") return member;
        return (...args: unknown[]) => {
          this.check();
          const result: unknown = Reflect.apply(member, target, args);
          return name === "list" || name === "keys"
            ? this.#limitList(result as ReturnType<KvStore["list"]>)
            : result;
        };
      },
    });
  }

  #limitList(
    list: AsyncIterable<KvStoreListEntry>,
  ): AsyncIterable<KvStoreListEntry> {
    return {
      [Symbol.asyncIterator]: () => {
        const entries = list[Symbol.asyncIterator]();
        let listed = 0;
        return {
          next: () => {
            this.check();
            if (listed++ === maxListed) {
              throw this.stop(
                `list() must end: it yielded more than ${maxListed} entries`,
              );
            }
            return entries.next();
          },
          return: () =>
            entries.return?.() ??
              Promise.resolve({ done: true, value: undefined }),
        };
      },
    };
  }
}
