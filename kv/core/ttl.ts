/**
 * How long an entry lives.
 *
 * @module
 */

import { typeName } from "./message.ts";

/** The last moment that a `Date` can hold, in epoch milliseconds. */
const END_OF_TIME = 8.64e15;

/**
 * Turns a TTL into whole milliseconds from now on.
 *
 * @param ttl What the caller gave.
 * @returns The milliseconds, rounded up; zero or less if already expired;
 * `undefined` if there is no TTL.
 * @throws {TypeError} If it is neither a number nor a duration.
 * @throws {RangeError} If it is not finite.
 */
export function ttlMilliseconds(ttl: unknown): number | undefined {
  if (ttl === undefined) return undefined;
  const total = typeof ttl === "number" ? ttl : totalMilliseconds(ttl);
  if (!Number.isFinite(total)) {
    throw new RangeError(`ttl must be finite: received ${total}`);
  }
  return Math.ceil(Math.min(total, END_OF_TIME - Date.now()));
}

/** How long an entry lives. */
export interface Life {
  /** The milliseconds from now on; zero or less if already expired. */
  readonly ttl: number;
  /** The expiry in epoch milliseconds, if that is what the caller gave. */
  readonly expires: number | undefined;
}

/**
 * How long an entry lives by the options of its write.
 *
 * @param options What the caller gave.
 * @returns The life; `undefined` if it has no end.
 * @throws {TypeError} If they are not an object, such as a bare number, have an
 * unknown option or both options, or an option has a wrong type.
 * @throws {RangeError} If the TTL or the expiry is not finite.
 */
export function lifeOf(options: unknown): Life | undefined {
  if (options === undefined || options === null) return undefined;
  if (typeof options !== "object") {
    throw new TypeError(
      `options must be an object: received a ${typeof options}`,
    );
  }
  for (const name in options) {
    if (
      name !== "ttl" && name !== "expires" && Object.hasOwn(options, name)
    ) {
      throw new TypeError(
        `unknown option ${JSON.stringify(name)}: expected ttl or expires`,
      );
    }
  }
  const { ttl, expires } = options as { ttl?: unknown; expires?: unknown };
  if (expires === undefined) {
    const milliseconds = ttlMilliseconds(ttl);
    return milliseconds === undefined
      ? undefined
      : { ttl: milliseconds, expires };
  }
  if (ttl !== undefined) {
    throw new TypeError("ttl and expires exclude each other: received both");
  }
  const moment = epochMilliseconds(expires);
  return { ttl: moment - Date.now(), expires: moment };
}

/** Turns an expiry into whole epoch milliseconds, rounded up. */
function epochMilliseconds(expires: unknown): number {
  if (typeof expires !== "number") {
    throw new TypeError(
      "expires must be a number of epoch milliseconds: " +
        `received ${typeName(expires)}`,
    );
  }
  if (!Number.isFinite(expires)) {
    throw new RangeError(`expires must be finite: received ${expires}`);
  }
  return Math.ceil(Math.min(expires, END_OF_TIME));
}

/**
 * The last duration without calendar units, and its milliseconds: a program has
 * few, and asking them takes longer than most of a call.
 */
let last: { readonly duration: unknown; readonly milliseconds: number } = {
  duration: undefined,
  milliseconds: 0,
};

interface Duration {
  readonly [Symbol.toStringTag]?: string;
  total(
    of: "milliseconds" | { unit: "milliseconds"; relativeTo: string },
  ): number;
  readonly years?: number;
  readonly months?: number;
  readonly weeks?: number;
}

function totalMilliseconds(ttl: unknown): number {
  if (ttl === last.duration) return last.milliseconds;
  const duration = ttl as Duration | null;
  if (typeof duration !== "object" || typeof duration?.total !== "function") {
    throw new TypeError(
      "ttl must be a number of milliseconds or a duration: " +
        `received ${ttl === null ? "null" : `a value of type ${typeof ttl}`}`,
    );
  }
  // A duration in calendar units has no fixed length.
  const isCalendar = duration.years || duration.months || duration.weeks;
  const total = isCalendar
    ? duration.total({
      unit: "milliseconds",
      relativeTo: `${new Date().toISOString().slice(0, -1)}+00:00[UTC]`,
    })
    : duration.total("milliseconds");
  if (typeof total !== "number") {
    throw new TypeError(
      `ttl.total() must return a number: received a ${typeof total}`,
    );
  }
  // What is no Temporal.Duration may change.
  if (!isCalendar && duration[Symbol.toStringTag] === "Temporal.Duration") {
    last = { duration, milliseconds: total };
  }
  return total;
}
