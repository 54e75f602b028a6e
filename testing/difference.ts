// Finds where two values differ, independently of the stores.
import { bytesOf, classOf, show } from "./show.ts";

/**
 * Says where two values first differ, or returns `undefined` if they do not.
 *
 * Stricter than any equality that a store needs: types and prototypes count,
 * and so do the orders of a `Map` and of a `Set`. It shares no code with the
 * stores, so that an error there cannot hide itself.
 */
export function difference(
  actual: unknown,
  expected: unknown,
  path = "value",
): string | undefined {
  if (Object.is(actual, expected)) return undefined;
  const differs = () =>
    `at ${path}: expected ${show(expected)}, received ${show(actual)}`;
  if (typeof actual === "string" && typeof expected === "string") {
    const at = firstDifference(actual, expected);
    return at < 100
      ? differs()
      : `at ${path} from index ${at}: expected ${
        show(expected.slice(at))
      }, received ${show(actual.slice(at))}`;
  }
  if (
    typeof actual !== "object" || actual === null ||
    typeof expected !== "object" || expected === null
  ) return differs();
  if (Object.getPrototypeOf(actual) !== Object.getPrototypeOf(expected)) {
    if (show(actual) !== show(expected)) return differs();
    const [name, other] = [classOf(actual), classOf(expected)];
    return `${differs()} of ${name === other ? "another " : ""}class ${name}`;
  }

  if (expected instanceof Date) {
    const same = Object.is((actual as Date).getTime(), expected.getTime());
    return same ? undefined : differs();
  }
  if (expected instanceof ArrayBuffer || ArrayBuffer.isView(expected)) {
    const received = bytesOf(actual as ArrayBuffer | ArrayBufferView);
    const at = firstDifference(received, bytesOf(expected));
    if (at === bytesOf(expected).length && at === received.length) {
      return undefined;
    }
    return at < 60
      ? differs()
      : `at ${path}, byte ${at}: expected ${
        show(bytesOf(expected).slice(at))
      }, received ${show(received.slice(at))}`;
  }
  if (expected instanceof Map || expected instanceof Set) {
    return difference(
      [...actual as Iterable<unknown>],
      [...expected],
      `[...${path}]`,
    );
  }
  if (Array.isArray(expected)) {
    const items = actual as unknown[];
    if (items.length !== expected.length) {
      return `at ${path}.length: expected ${expected.length}, received ${items.length}`;
    }
    for (let i = 0; i < expected.length; i++) {
      const found = difference(items[i], expected[i], `${path}[${i}]`);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  for (const member of new Set([...ownKeys(expected), ...ownKeys(actual)])) {
    const at = `${path}[${show(member)}]`;
    if (!Object.hasOwn(actual, member)) return `at ${at}: missing`;
    if (!Object.hasOwn(expected, member)) {
      return `at ${at}: expected no such member`;
    }
    const found = difference(
      Reflect.get(actual, member),
      Reflect.get(expected, member),
      at,
    );
    if (found !== undefined) return found;
  }
  return undefined;
}

const { ownKeys } = Reflect;

/** The index of the first difference; the length if they are equal. */
function firstDifference<T extends string | Uint8Array>(a: T, b: T): number {
  let at = 0;
  while (at < a.length && a[at] === b[at]) at++;
  return at;
}
