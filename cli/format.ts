/** How the command line shows keys, values, sizes and times. */

import { inspect } from "node:util";
import type { KvKey } from "../kv/store.ts";

/** A key as words that a shell reads back, or as JSON where it has to be. */
export function formatKey(key: readonly string[]): string {
  if (key.length === 0) return "(no prefix)";
  const isSimple = key.every((part) => /^[\w@%+=:,./#?&~-]+$/.test(part));
  return isSimple && !key[0]?.startsWith("[")
    ? key.join(" ")
    : JSON.stringify(key);
}

/** A value on one line, or in full. */
export function formatValue(value: unknown, width = Infinity): string {
  const text = typeof value === "string"
    ? JSON.stringify(value)
    : inspect(value, { depth: 20, breakLength: width, maxArrayLength: 1_000 });
  return text.length > width ? `${text.slice(0, width - 1)}…` : text;
}

/** A number of entries. */
export function formatEntries(count: number): string {
  return `${count} ${count === 1 ? "entry" : "entries"}`;
}

/** A number of bytes with a unit. */
export function formatBytes(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  while (bytes >= 1024 && unit < units.length - 1) {
    bytes /= 1024;
    unit++;
  }
  return `${unit === 0 ? bytes : bytes.toFixed(1)} ${units[unit]}`;
}

/** The time until an expiry, such as `in 5 min`. */
export function formatExpiry(expires: number | undefined): string {
  if (expires === undefined) return "never";
  let left = (expires - Date.now()) / 1000;
  if (left <= 0) return "now";
  for (
    const [unit, size] of [["s", 60], ["min", 60], ["h", 24]] as const
  ) {
    if (left < size * 2) return `in ${Math.ceil(left)} ${unit}`;
    left /= size;
  }
  return `in ${Math.ceil(left)} d`;
}

/** Rows with aligned columns. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, i) => widths[i] = Math.max(widths[i] ?? 0, cell.length));
  }
  return rows.map((row) =>
    row.map((cell, i) => i === row.length - 1 ? cell : cell.padEnd(widths[i]!))
      .join("  ").trimEnd()
  ).join("\n");
}

/** The first parts of a key, without its last one, as JSON: entries have it in common. */
export function groupOf(key: KvKey, depth: number): string {
  return JSON.stringify(key.slice(0, Math.min(depth, key.length - 1)));
}
