/** `kv stats`: what takes the space. */

import { Command } from "commander";
import { encodeValue } from "../../kv/core/value.ts";
import {
  formatBytes,
  formatExpiry,
  formatKey,
  formatTable,
  groupOf,
} from "../format.ts";
import { wholeNumber } from "../options.ts";
import { Progress } from "../progress.ts";
import { globals, openStore, prefixOf } from "../store.ts";
import type { Terminal } from "../terminal.ts";

/** How many groups to keep: the rest is one group. */
const MAX_GROUPS = 10_000;

interface Group {
  entries: number;
  bytes: number;
  withoutTtl: number;
  next: number | undefined;
}

export function statsCommand(terminal: Terminal): Command {
  return new Command("stats")
    .description(
      "show entries, bytes and expiries by the first parts of the keys",
    )
    .argument("[prefix...]", "the leading parts of the keys")
    .option(
      "-d, --depth <number>",
      "how many parts make a group",
      wholeNumber,
      2,
    )
    .option(
      "-n, --largest <number>",
      "how many of the largest entries to show",
      wholeNumber,
      5,
    )
    .action(async (words: string[], options, command: Command) => {
      await using kv = await openStore(terminal, command);
      const groups = new Map<string, Group>();
      const total = emptyGroup();
      let largest: { key: readonly string[]; bytes: number }[] = [];
      {
        using progress = new Progress(terminal, "reading");
        for await (
          const entry of kv.list(prefixOf(words), { signal: terminal.signal })
        ) {
          const { key, value, expires } = entry;
          const encoded = encodeValue(value)!;
          const bytes = encoded.length +
            key.reduce((sum, part) => sum + part.length, 0);
          let name = groupOf(key, options.depth);
          if (!groups.has(name) && groups.size >= MAX_GROUPS) name = OTHERS;
          let group = groups.get(name);
          if (group === undefined) groups.set(name, group = emptyGroup());
          for (const sums of [group, total]) add(sums, bytes, expires);
          if (
            largest.length < options.largest || bytes > largest.at(-1)!.bytes
          ) {
            largest = [...largest, { key, bytes }]
              .sort((a, b) => b.bytes - a.bytes).slice(0, options.largest);
          }
          progress.update(total.entries);
        }
      }
      const sorted = [...groups].sort(([, a], [, b]) => b.bytes - a.bytes);
      if (globals(command).json) {
        return terminal.line(JSON.stringify({
          ...total,
          groups: sorted.map(([name, group]) => ({
            prefix: name === OTHERS ? null : JSON.parse(name),
            ...group,
          })),
          largest,
        }));
      }
      const row = (
        name: string,
        { entries, bytes, withoutTtl, next }: Group,
      ) => [
        name,
        `${entries}`,
        formatBytes(bytes),
        entries === 0 ? "-" : `${Math.round(100 * withoutTtl / entries)} %`,
        next === undefined ? "-" : formatExpiry(next),
      ];
      terminal.line(formatTable([
        ["prefix", "entries", "about", "no TTL", "next expiry"],
        ...sorted.map(([name, group]) =>
          row(name === OTHERS ? "(others)" : formatKey(JSON.parse(name)), group)
        ),
        row("total", total),
      ]));
      if (largest.length > 0) {
        terminal.line("\nlargest entries");
        terminal.line(formatTable(
          largest.map(({ key, bytes }) => [formatBytes(bytes), formatKey(key)]),
        ));
      }
    });
}

const OTHERS = "others";

function emptyGroup(): Group {
  return { entries: 0, bytes: 0, withoutTtl: 0, next: undefined };
}

function add(group: Group, bytes: number, expires: number | undefined): void {
  group.entries++;
  group.bytes += bytes;
  if (expires === undefined) group.withoutTtl++;
  else if (group.next === undefined || expires < group.next) {
    group.next = expires;
  }
}
