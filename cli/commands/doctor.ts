/** `kv doctor`: checks a store and what is around it, and says what to do. */

import { Command } from "commander";
import { existsSync } from "node:fs";
import { pathOf } from "../../open/engine.ts";
import type { KvExtendedStore } from "../../kv/store.ts";
import { fault, type Finding, ok, type Subject } from "../doctor/finding.ts";
import { diagnoseMysql } from "../doctor/mysql.ts";
import { diagnosePostgres } from "../doctor/postgres.ts";
import { diagnoseRedis } from "../doctor/redis.ts";
import { diagnoseFile, diagnoseSqlite } from "../doctor/sqlite.ts";
import {
  diagnoseConnection,
  diagnoseEntries,
  diagnoseWrites,
  failed,
} from "../doctor/store.ts";
import { Expected } from "../errors.ts";
import { checkReachable } from "../reach.ts";
import { checkExists, globals, openStore, urlOf } from "../store.ts";
import type { Terminal } from "../terminal.ts";

const ENGINES: Readonly<
  Record<string, (subject: Subject) => AsyncIterable<Finding>>
> = {
  redis: diagnoseRedis,
  rediss: diagnoseRedis,
  "redis+cluster": diagnoseRedis,
  postgres: diagnosePostgres,
  postgresql: diagnosePostgres,
  mysql: diagnoseMysql,
  mariadb: diagnoseMysql,
  sqlite: diagnoseSqlite,
  async *deno({ url }) {
    const path = pathOf(url);
    if (existsSync(path)) yield* diagnoseFile(path);
  },
};

export function doctorCommand(terminal: Terminal): Command {
  return new Command("doctor")
    .description(
      "connect, measure round trips, check settings and rights, and explain " +
        "each finding and its fix",
    )
    .option("--read-only", "write nothing")
    .addHelpText("after", NOTES)
    .action(async (options, command: Command) => {
      const findings: Finding[] = [];
      const { json, table = "kv", keyPrefix = "kv" } = globals(command);
      const url = urlOf(terminal, command);
      try {
        checkExists(url);
        await checkReachable(url);
        const engine = ENGINES[url.slice(0, url.indexOf(":"))];
        // Before the store is opened, which may change what it finds.
        for await (
          const finding of engine?.({ url, table, keyPrefix }) ?? []
        ) findings.push(finding);
        // Opening the store would write to a database that is not ready for it.
        const isReady = !findings.some((it) =>
          it.check === "table" && it.level === "note" ||
          it.check === "journal mode" && it.level !== "ok"
        );
        if (isReady || options.readOnly !== true) {
          await using kv = await openStore(terminal, command);
          for await (const finding of diagnoseStore(kv, options.readOnly)) {
            findings.push(finding);
          }
        }
      } catch (error) {
        if (error instanceof TypeError) throw error;
        findings.push(failed("connect", error));
      }
      if (json) terminal.line(JSON.stringify(findings));
      else findings.forEach((finding) => terminal.line(format(finding)));
      const errors = findings.filter(({ level }) => level === "error").length;
      if (errors > 0) {
        throw new Expected(
          `${errors} ${errors === 1 ? "check" : "checks"} failed`,
        );
      }
    });
}

const NOTES = `
A note is worth knowing, a warning worth a change, and an error makes the exit
code 1. Without --read-only, an entry of its own is written and deleted.`;

async function* diagnoseStore(
  kv: KvExtendedStore,
  isReadOnly: boolean | undefined,
): AsyncGenerator<Finding> {
  yield* diagnoseConnection(kv);
  if (!isReadOnly) yield* diagnoseWrites(kv);
  yield* diagnoseEntries(kv);
  const { without } = kv.traits;
  for (const [guarantee, reason] of Object.entries(without)) {
    yield fault("note", `without ${guarantee}`, reason!, "docs/contract.md");
  }
  if (Object.keys(without).length === 0) {
    yield ok("guarantees", "every guarantee of the contract");
  }
}

function format({ check, level, detail, fix }: Finding): string {
  const line = `${level.padEnd(8)} ${check.padEnd(18)} ${detail}`;
  return fix === undefined ? line : `${line}\n${" ".repeat(28)}→ ${fix}`;
}
