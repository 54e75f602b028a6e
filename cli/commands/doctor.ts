/** `kv doctor`: checks that a store works, and how fast. */

import { Command } from "commander";
import { Expected } from "../errors.ts";
import { formatTable } from "../format.ts";
import { globals, openStore } from "../store.ts";
import type { Terminal } from "../terminal.ts";

const ROUND_TRIPS = 50;

interface Finding {
  readonly check: string;
  readonly ok: boolean;
  readonly detail: string;
}

export function doctorCommand(terminal: Terminal): Command {
  return new Command("doctor")
    .description(
      "connect, measure round trips, and write and delete a test entry",
    )
    .option("--read-only", "write nothing")
    .action(async (options, command: Command) => {
      const findings: Finding[] = [];
      await using kv = await openStore(terminal, command);
      const attempt = async (check: string, run: () => Promise<string>) => {
        try {
          findings.push({ check, ok: true, detail: await run() });
        } catch (error) {
          findings.push({ check, ok: false, detail: (error as Error).message });
        }
      };
      await attempt("connect", async () => {
        await kv.check();
        return `driver ${kv.traits.driver}, shared within one ${kv.traits.shared}`;
      });
      await attempt("round trip", async () => {
        const times: number[] = [];
        for (let i = 0; i < ROUND_TRIPS; i++) {
          const start = performance.now();
          await kv.check();
          times.push(performance.now() - start);
        }
        times.sort((a, b) => a - b);
        const [median, slow] = [
          times[ROUND_TRIPS >> 1]!,
          times[ROUND_TRIPS - 2]!,
        ];
        return `median ${median.toFixed(2)} ms, slowest 4 % from ${
          slow.toFixed(2)
        } ms`;
      });
      const key = ["@org/kv", "doctor", crypto.randomUUID()] as const;
      if (!options.readOnly) {
        await attempt("write and delete", async () => {
          await kv.set(key, { ok: true }, { ttl: 60_000 });
          const found = await kv.get(key);
          await kv.delete(key);
          if (found === undefined) {
            throw new Error("what was written is missing");
          }
          return "the entry was written, read and deleted";
        });
      }
      await attempt("list", async () => {
        for await (const _ of kv.keys([], { limit: 1 })) break;
        return "the first key was read";
      });
      for (const [guarantee, reason] of Object.entries(kv.traits.without)) {
        findings.push({
          check: `without ${guarantee}`,
          ok: true,
          detail: reason,
        });
      }
      if (globals(command).json) terminal.line(JSON.stringify(findings));
      else {
        terminal.line(formatTable(
          findings.map((
            { check, ok, detail },
          ) => [ok ? "ok" : "FAILED", check, detail]),
        ));
      }
      const failed = findings.filter(({ ok }) => !ok).length;
      if (failed > 0) throw new Expected(`${failed} checks failed`);
    });
}
