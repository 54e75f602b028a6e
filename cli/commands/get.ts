/** `kv get`: prints a value. */

import { Command } from "commander";
import { Expected } from "../errors.ts";
import { formatKey, formatValue } from "../format.ts";
import { formatLine } from "../lines.ts";
import { globals, openStore, wholeKey } from "../store.ts";
import type { Terminal } from "../terminal.ts";

export function getCommand(terminal: Terminal): Command {
  return new Command("get")
    .description("print the value of a key")
    .argument("<key...>", "the key")
    .action(async (words: string[], _options, command: Command) => {
      const key = wholeKey(words);
      await using kv = await openStore(terminal, command);
      const value = await kv.get(key);
      if (value === undefined) {
        throw new Expected(`there is no entry ${formatKey(key)}`, 3);
      }
      terminal.line(
        globals(command).json ? formatLine({ key, value }) : formatValue(value),
      );
    });
}
