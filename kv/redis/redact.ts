/**
 * Errors of ioredis without the arguments of commands, which hold values and
 * passwords.
 *
 * @module
 */

/** What a copy keeps besides the name, the message and the stack. */
const FIELDS = ["code", "errno", "syscall", "address", "hostname", "port"];

/** Other errors that an error holds. */
const ERRORS = ["cause", "lastNodeError", "previousErrors", "errors"];

/** The server quotes the arguments of a command that it does not know. */
const QUOTED = /,? with args beginning with:[^]*/;

/** How deep errors hold errors, at most. */
const MAX_DEPTH = 8;

/**
 * Copies an error without what may be secret. The copy has the same class, name
 * and stack, the name of the command, and what tells where a connection failed.
 *
 * @param error The error of a client.
 * @returns The copy, or the same value if it is not an error.
 */
export function redacted(error: unknown, depth = MAX_DEPTH): unknown {
  if (!(error instanceof Error)) return depth === MAX_DEPTH ? error : undefined;
  const copy = new Error(error.message.replace(QUOTED, ""));
  Object.setPrototypeOf(copy, Object.getPrototypeOf(error));
  const source = error as unknown as Record<string, unknown>;
  const frames = error.stack?.slice(error.stack.indexOf("\n    at ")) ?? "";
  define(copy, "stack", `${error.name}: ${copy.message}${frames}`, false);
  if (Object.hasOwn(error, "name")) define(copy, "name", error.name, false);
  for (const field of FIELDS) {
    const value = source[field];
    if (typeof value === "string" || typeof value === "number") {
      define(copy, field, value);
    }
  }
  const { command } = source as { command?: { name?: unknown } };
  if (typeof command?.name === "string") {
    define(copy, "command", { name: command.name });
  }
  for (const field of ERRORS) {
    const value = depth > 0 ? source[field] : undefined;
    if (Array.isArray(value)) {
      define(copy, field, value.map((each) => redacted(each, depth - 1)));
    } else if (value instanceof Error) {
      define(copy, field, redacted(value, depth - 1));
    }
  }
  return copy;
}

function define(
  error: Error,
  name: string,
  value: unknown,
  enumerable = true,
): void {
  Object.defineProperty(error, name, {
    value,
    enumerable,
    configurable: true,
    writable: true,
  });
}
