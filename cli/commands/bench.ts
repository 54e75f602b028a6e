/** `kv bench`: measures a store next to the bare client. */

import { Command } from "commander";
import { openBare } from "../bench/bare.ts";
import { type Figures, KEYS, measure } from "../bench/measure.ts";
import { formatTable } from "../format.ts";
import { wholeNumber } from "../options.ts";
import { globals, openStore, urlOf } from "../store.ts";
import type { Terminal } from "../terminal.ts";
import type { KvKey } from "../../kv/store.ts";

/** About what Fedify stores most often: an actor, shortened. */
const VALUE = {
  "@context": "https://www.w3.org/ns/activitystreams",
  type: "Person",
  id: "https://example.com/users/alice",
  preferredUsername: "alice",
  inbox: "https://example.com/users/alice/inbox",
};

export function benchCommand(terminal: Terminal): Command {
  return new Command("bench")
    .description("measure the store next to the bare client, in turns")
    .option(
      "--seconds <number>",
      "about how long to measure",
      wholeNumber,
      8,
    )
    .addHelpText("after", NOTES)
    .action(async (options, command: Command) => {
      const space = `kv_bench_${crypto.randomUUID().replaceAll("-", "")}`;
      await using kv = await openStore(terminal, command);
      let reason = "two clients cannot open it at once";
      const bare = await openBare(urlOf(terminal, command), space)
        .catch((error) => void (reason = error.message));
      const { json } = globals(command);
      const rows: Figures[] = [];
      const prefix: KvKey = ["@org/kv", space];
      const keyOf = (i: number): KvKey => [...prefix, `${i}`];
      const text = JSON.stringify(VALUE);
      try {
        const ours = {
          set: (i: number) => kv.set(keyOf(i), VALUE),
          get: (i: number) => kv.get(keyOf(i)),
        };
        const theirs = bare && {
          set: (i: number) => bare.set(`${i}`, text),
          get: (i: number) => bare.get(`${i}`),
        };
        for await (
          const figures of measure(
            ours,
            theirs,
            options.seconds,
            terminal.signal,
          )
        ) rows.push(figures);
      } finally {
        for (let i = 0; i < KEYS; i++) await kv.delete(keyOf(i));
        await bare?.close();
      }
      if (json) return terminal.line(JSON.stringify(rows));
      terminal.line(formatTable([
        ["calls", "at once", "store", "bare client", "ratio"],
        ...rows.map(row),
      ]));
      if (bare === undefined) {
        terminal.line(`\nThe bare client was not measured: ${reason}`);
      }
    });
}

const NOTES = `
Calls per second, as medians of turns that alternate between both. Both write to
keys or tables of their own, and remove them at the end. If the command is
killed, the keys under @org/kv and the names that begin with kv_bench_ stay. Run
it where your application runs.`;

function row({ operation, concurrency, ours, bare }: Figures): string[] {
  return [
    operation,
    `${concurrency}`,
    `${Math.round(ours)}/s`,
    bare === undefined ? "-" : `${Math.round(bare)}/s`,
    bare === undefined ? "-" : (ours / bare).toFixed(2),
  ];
}
