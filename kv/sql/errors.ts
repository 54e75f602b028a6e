/**
 * What an error of an SQL client means, and what of it may be shown.
 *
 * @module
 */

import { typeName } from "../core/message.ts";

/**
 * What an error says about its statement:
 *
 * - `not sent`: it never reached the server.
 * - `rejected`: the server undid all of it, and is well, as is the connection.
 * - `transient`: the same, and it may succeed if repeated.
 * - `no table`: the same as `rejected`, because the table does not exist.
 * - `unknown`: it may have been executed.
 */
export type Trouble =
  | "not sent"
  | "rejected"
  | "transient"
  | "no table"
  | "unknown";

/** Tells what an error of a driver's client says about its statement. */
export type Triage = (error: unknown) => Trouble;

/** Whether the server rejected the statement and undid all of it. */
export function isServerError(trouble: Trouble): boolean {
  return trouble !== "not sent" && trouble !== "unknown";
}

/** Runs a statement, and again if the connection breaks: only for reads. */
export async function readTwice<Answer>(
  triage: Triage,
  read: () => Promise<Answer>,
): Promise<Answer> {
  try {
    return await read();
  } catch (error) {
    if (triage(error) !== "unknown") throw error;
    return await read();
  }
}

/** The server answered something else than the statement asks for. */
export class UnexpectedAnswer extends Error {
  /** Creates the error. */
  constructor(reason = "the answer does not fit the statement") {
    super(reason);
  }
}

/**
 * A copy of a client's error that holds no values: the client's own one may hold
 * the statement, its parameters, and the row that failed.
 *
 * @param error What the client threw.
 * @param fields The fields that say what failed, but neither a statement nor a
 * value.
 * @param messageOf Returns the message without values.
 */
export function withoutValues(
  error: unknown,
  fields: readonly string[],
  messageOf: (message: string, error: Error) => string,
): unknown {
  if (!(error instanceof Error) || error instanceof UnexpectedAnswer) {
    return error;
  }
  const source = error as unknown as Record<string, unknown>;
  const { name, stack, message } = error;
  // Node puts the errors of several addresses into one without a message.
  const text = messageOf(message || String(source["code"] ?? name), error);
  const copy = new Error(text);
  Object.setPrototypeOf(copy, Object.getPrototypeOf(error));
  const hidden = { name, stack: stack?.replace(message, () => text) };
  for (const [field, value] of Object.entries(hidden)) {
    Object.defineProperty(copy, field, {
      value,
      configurable: true,
      writable: true,
    });
  }
  for (const field of fields) {
    const value = source[field];
    if (["string", "number", "boolean"].includes(typeof value)) {
      Object.assign(copy, { [field]: value });
    }
  }
  return copy;
}

/**
 * An error about a client that a store cannot use.
 *
 * @param rule What the client must be.
 * @param client What the caller gave.
 */
export function unsupportedClient(rule: string, client: unknown): TypeError {
  const name = (client as object | null | undefined)?.constructor?.name;
  const received = typeof client === "object" && name
    ? `an object of class ${name}`
    : typeName(client);
  return new TypeError(`Cannot create a ${rule}: received ${received}`);
}
