// Renders a value for a message.
const maxLength = 200;
const maxDepth = 6;

/** Renders a value for a message, with its types, and not too long. */
export function show(value: unknown): string {
  const text = render(value, 0);
  return text.length <= maxLength ? text : `${text.slice(0, maxLength)}…`;
}

function render(value: unknown, depth: number): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "bigint") return `${value}n`;
  if (Object.is(value, -0)) return "-0";
  if (typeof value === "function") return `function ${value.name}`;
  if (typeof value !== "object" || value === null) return String(value);
  if (depth > maxDepth) return "…";
  const inner = (item: unknown) => render(item, depth + 1);
  if (Array.isArray(value)) return `[${join(value, inner)}]`;
  const name = classOf(value);
  if (value instanceof Error) return `${name}: ${value.message}`;
  if (isOfType(value, "Date")) {
    return `${name}(${Date.prototype.getTime.call(value)})`;
  }
  if (isOfType(value, "Map")) {
    const entries: Iterable<[unknown, unknown]> = Map.prototype.entries
      .call(value);
    return `${name}{${
      join(entries, ([key, item]) => `${inner(key)} => ${inner(item)}`)
    }}`;
  }
  if (isOfType(value, "Set")) {
    return `${name}{${join(Set.prototype.values.call(value), inner)}}`;
  }
  if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) {
    const hex = (byte: number) => byte.toString(16).padStart(2, "0");
    return `${name}(${value.byteLength} bytes: ${
      join(bytesOf(value), hex, " ")
    })`;
  }
  const members = join(Reflect.ownKeys(value), (member) => {
    const shown = typeof member === "string"
      ? JSON.stringify(member)
      : String(member);
    return `${shown}: ${inner(Reflect.get(value, member))}`;
  });
  return `${name === "Object" ? "" : `${name} `}{${members}}`;
}

/** Joins what is rendered of some items; not more than is shown. */
function join<T>(
  items: Iterable<T>,
  render: (item: T) => string,
  separator = ", ",
): string {
  let text = "";
  for (const item of items) {
    if (text !== "") text += separator;
    text += render(item);
    if (text.length > maxLength) break;
  }
  return text;
}

/** The bytes of a buffer or of a view. */
export function bytesOf(value: ArrayBuffer | ArrayBufferView): Uint8Array {
  return value instanceof ArrayBuffer
    ? new Uint8Array(value)
    : new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
}

/** The name of the class of an object. */
export function classOf(value: object): string {
  const prototype = Object.getPrototypeOf(value);
  return prototype === null
    ? "null"
    : prototype.constructor?.name || "anonymous";
}

const methods: Record<"Date" | "Map" | "Set", (this: never) => unknown> = {
  Date: Date.prototype.getTime,
  Map: Map.prototype.entries,
  Set: Set.prototype.values,
};

/** Whether a value is of a built-in type, of whichever realm. */
function isOfType(value: object, type: keyof typeof methods): boolean {
  if (Object.prototype.toString.call(value) !== `[object ${type}]`) {
    return false;
  }
  try {
    methods[type].call(value as never);
    return true;
  } catch {
    return false; // It only claims to be.
  }
}
