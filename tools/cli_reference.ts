/**
 * Writes the help of every command into docs/cli.md: `deno task cli:reference`.
 *
 * @module
 */

import { program } from "../cli/main.ts";
import { Terminal } from "../cli/terminal.ts";

const PAGE = new URL("../docs/cli.md", import.meta.url);

/** The help of every command, by its name. */
export function helpOfCommands(): Map<string, string> {
  const terminal = new Terminal({ write() {}, writeError() {}, env: {} });
  try {
    return new Map(
      program(terminal).commands.map((command) => {
        let help = "";
        command.configureOutput({ writeOut: (text) => help += text });
        command.outputHelp();
        return [command.name(), help.trim()];
      }),
    );
  } finally {
    terminal.close();
  }
}

/** The page with the present help: what is around each block stays. */
export function withHelp(page: string): string {
  for (const [name, help] of helpOfCommands()) {
    const block = `## kv ${name}\n\n\`\`\`text\n${help}\n\`\`\``;
    const pattern = new RegExp(`## kv ${name}\n\n\`\`\`text\n[^]*?\n\`\`\``);
    page = pattern.test(page)
      ? page.replace(pattern, () => block)
      : `${page}\n${block}\n`;
  }
  return page;
}

if (import.meta.main) {
  await Deno.writeTextFile(PAGE, withHelp(await Deno.readTextFile(PAGE)));
}
