/** The values of a history: each is unique and shows whether it is whole. */

/** Every so manieth value is longer than one packet of a connection. */
const LONG = 10;

/** Every so manieth value takes several chunks in Deno KV. */
const VERY_LONG = 101;

/** A value, which its token determines. */
interface Value {
  readonly token: string;
  readonly when: Date | string;
  readonly padding: string;
}

/** Returns the token of the `order`-th value of a client. */
export function tokenOf(client: string, order: number): string {
  return `${client}:${order}`;
}

/**
 * Returns the value of a token.
 *
 * @param token The token, or `null` for no entry.
 * @param isReversed Whether the members come in the other order, as they do
 * after a program has rebuilt the value.
 */
export function valueOf(
  token: string | null,
  isReversed = false,
): Value | undefined {
  if (token === null) return undefined;
  const order = Number(token.slice(token.lastIndexOf(":") + 1));
  const length = order % VERY_LONG === 0
    ? 70_000
    : order % LONG === 0
    ? 5_000
    : order % 40;
  const padding = String.fromCharCode(97 + order % 26).repeat(length);
  // With a Date a value is no plain JSON.
  const when = order % 3 === 0 ? new Date(order) : String(order);
  return isReversed ? { padding, when, token } : { token, when, padding };
}

/** Returns the token of a value that was read; a torn value has one that nobody wrote. */
export function tokenOfValue(value: unknown): string | null {
  if (value === undefined) return null;
  const { token, when, padding } = (value ?? {}) as Partial<Value>;
  const whole = typeof token === "string" ? valueOf(token) : undefined;
  const isWhole = whole !== undefined && padding === whole.padding &&
    String(when) === String(whole.when) && Object.keys(value!).length === 3;
  return isWhole ? token! : `torn: ${JSON.stringify(value)?.slice(0, 200)}`;
}
