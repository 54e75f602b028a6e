// Renders a value for a message.
const maxLength = 200;

/** Renders a value for a message, with its types, and not too long. */
export function show(value: unknown): string {
  const text = render(value, 0);
  return text.length <= maxLength
    ? text
    : `${text.slice(0, maxLength)}… (${text.length} characters)`;
}

function render(value: unknown, depth: number): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "bigint") return `${value}n`;
  if (Object.is(value, -0)) return "-0";
  if (typeof value === "function") return `function ${value.name}`;
  if (typeof value !== "object" || value === null) return String(value);
  if (depth > 6) return "…";
  const inner = (item: unknown) => render(item, depth + 1);
  if (Array.isArray(value)) {
    return `[${Array.from(value.slice(0, maxLength), inner).join(", ")}]`;
  }
  const name = classOf(value);
  if (value instanceof Error) return `${name}: ${value.message}`;
  const time = ifOfType(() => Date.prototype.getTime.call(value));
  if (time !== undefined) return `${name}(${time})`;
  const map = ifOfType(() => Map.prototype.entries.call(value));
  if (map !== undefined) {
    const items = Array.from(map, ([k, v]) => `${inner(k)} => ${inner(v)}`);
    return `${name}{${items.join(", ")}}`;
  }
  const set = ifOfType(() => Set.prototype.values.call(value));
  if (set !== undefined) return `${name}{${Array.from(set, inner).join(", ")}}`;
  if (value instanceof ArrayBuffer) {
    return `${name}${render(new Uint8Array(value), depth).slice(10)}`;
  }
  if (ArrayBuffer.isView(value)) {
    const bytes = new Uint8Array(
      value.buffer,
      value.byteOffset,
      Math.min(value.byteLength, maxLength),
    );
    const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0"));
    return `${name}(${value.byteLength} bytes: ${hex.join(" ")})`;
  }
  const members = Reflect.ownKeys(value).slice(0, maxLength).map((member) =>
    `${typeof member === "string" ? JSON.stringify(member) : String(member)}: ${
      inner(Reflect.get(value, member))
    }`
  );
  return `${name === "Object" ? "" : `${name} `}{${members.join(", ")}}`;
}

/** The name of the class of an object. */
export function classOf(value: object): string {
  const prototype = Object.getPrototypeOf(value);
  return prototype === null
    ? "null"
    : prototype.constructor?.name || "anonymous";
}

/** What a built-in method returns; `undefined` for an object of another type. */
function ifOfType<T>(method: () => T): T | undefined {
  try {
    return method();
  } catch {
    return undefined;
  }
}
