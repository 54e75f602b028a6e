/** `kv set`: writes a value. */

import { Command } from "commander";
import { Expected } from "../errors.ts";
import { duration } from "../options.ts";
import { openStore, wholeKey } from "../store.ts";
import type { Terminal } from "../terminal.ts";

export function setCommand(terminal: Terminal): Command {
  return new Command("set")
    .description("write the value of a key")
    .argument(
      "<key...>",
      "the key, and last the value as JSON, or - for standard input",
    )
    .option("--text", "take the value as text, not as JSON")
    .option(
      "--ttl <duration>",
      "how long the entry lives, such as 5m",
      duration,
    )
    .action(async (words: string[], options, command: Command) => {
      if (words.length < 2) {
        throw new Expected("a key and a value are needed", 2);
      }
      const key = wholeKey(words.slice(0, -1));
      const value = await valueOf(terminal, words.at(-1)!, options.text);
      await using kv = await openStore(terminal, command, true);
      await kv.set(
        key,
        value,
        options.ttl === undefined ? {} : { ttl: options.ttl },
      );
    });
}

async function valueOf(
  terminal: Terminal,
  word: string,
  isText: boolean | undefined,
): Promise<unknown> {
  let text = word;
  if (word === "-") {
    const lines = [];
    for await (const line of terminal.lines()) lines.push(line);
    text = lines.join("\n");
  }
  if (isText) return text;
  try {
    return JSON.parse(text);
  } catch {
    throw new Expected("the value is not JSON: quote it, or use --text", 2);
  }
}
