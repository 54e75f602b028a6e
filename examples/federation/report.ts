// What the demo prints: the calls and the entries of each server.
import type { KvStore } from "@fedify/fedify";
import Table from "cli-table3";
import { type Counts, groupOf, type KeyCounts } from "./counting.ts";

/**
 * Draws what a store holds and what was asked of it, with a row for each pair
 * of leading key parts.
 */
export async function storeTable(
  kv: KvStore,
  counts: Counts,
): Promise<string> {
  const entries = new Map<string, number>();
  for await (const { key } of kv.list()) {
    const group = groupOf(key);
    entries.set(group, (entries.get(group) ?? 0) + 1);
  }

  const table = new Table({
    head: ["keys", "entries", "TTLs given", "gets", "hits", "sets", "deletes"]
      .concat(["lists", "cas", "swaps"]),
    colAligns: ["left", "right", "left", ...Array(7).fill("right")],
    style: { head: [], border: [], compact: true },
  });
  for (const [group, counted] of [...counts.byGroup].sort()) {
    table.push(row(group, entries.get(group) ?? 0, counted));
  }
  const held = [...entries.values()].reduce((sum, count) => sum + count, 0);
  table.push(row("total", held, counts.total()));
  return table.toString();
}

function row(title: string, entries: number, counted: KeyCounts) {
  const { get, hits, set, delete: deletes, list, cas, swaps, ttls } = counted;
  const ttl = [...ttls]
    .sort((a, b) => (a ?? Infinity) - (b ?? Infinity))
    .map(describeTtl)
    .join(", ");
  return [title, entries, ttl, get, hits, set, deletes, list, cas, swaps];
}

function describeTtl(milliseconds: number | undefined): string {
  if (milliseconds == null) return "none";
  return Temporal.Duration.from({ milliseconds })
    .round({ largestUnit: "days" })
    .toLocaleString("en", { style: "narrow" });
}
