/** `kv completions`: prints a script that completes commands in a shell. */

import { Command } from "commander";
import { Expected } from "../errors.ts";
import type { Terminal } from "../terminal.ts";

const SHELLS: Record<string, (commands: string) => string> = {
  bash: (commands) => `complete -W "${commands}" kv`,
  zsh: (commands) => `#compdef kv\ncompadd ${commands}`,
  fish: (commands) =>
    `complete -c kv -f -n __fish_use_subcommand -a "${commands}"`,
};

export function completionsCommand(terminal: Terminal): Command {
  return new Command("completions")
    .description("print a completion script for bash, zsh or fish")
    .argument("<shell>", "bash, zsh or fish")
    .action((shell: string, _options, command: Command) => {
      if (!Object.hasOwn(SHELLS, shell)) {
        throw new Expected(`unknown shell ${shell}: use bash, zsh or fish`, 2);
      }
      const commands = command.parent!.commands.map((each) => each.name());
      terminal.line(SHELLS[shell]!(commands.join(" ")));
    });
}
