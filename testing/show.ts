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
  const name = Object.getPrototypeOf(value)?.constructor?.name ?? "null";
  if (value instanceof Error) return `${name}: ${value.message}`;
  if (value instanceof Date) return `Date(${value.getTime()})`;
  if (value instanceof Map) {
    const items = Array.from(value, ([k, v]) => `${inner(k)} => ${inner(v)}`);
    return `${name}{${items.join(", ")}}`;
  }
  if (value instanceof Set) {
    return `${name}{${Array.from(value, inner).join(", ")}}`;
  }
  if (value instanceof ArrayBuffer) {
    return `ArrayBuffer${render(new Uint8Array(value), depth).slice(10)}`;
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
