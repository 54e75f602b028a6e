/**
 * Running scripts on the server.
 *
 * @module
 */

import type { Argument } from "./command_class.ts";
import type { RedisCommands, SentCommand } from "./commands.ts";
import { isNoScript } from "./errors.ts";
import type { Script } from "./scripts.ts";

/** A script that was sent: by its digest, or whole to a server that lacks it. */
export class Evaluation implements SentCommand {
  readonly #commands: RedisCommands;
  #last: SentCommand;

  /** The reply of the script. */
  readonly reply: Promise<unknown>;

  /**
   * Sends a script.
   *
   * @param commands Issues commands.
   * @param script The script.
   * @param keys The names in Redis that it touches.
   * @param args Its arguments.
   */
  constructor(
    commands: RedisCommands,
    script: Script,
    keys: readonly string[],
    args: readonly Argument[],
  ) {
    const all = [`${keys.length}`, ...keys, ...args];
    this.#commands = commands;
    this.#last = commands.send("evalsha", [script.sha1, ...all]);
    this.reply = this.#last.reply.catch((error) => {
      if (!isNoScript(error)) throw error;
      this.#last = this.#commands.send("eval", [script.source, ...all]);
      return this.#last.reply;
    });
  }

  mayBeApplied(error: unknown): boolean {
    return this.#last.mayBeApplied(error);
  }
}
