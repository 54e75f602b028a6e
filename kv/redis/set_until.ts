/**
 * Writing an entry with its expiry.
 *
 * @module
 */

import type { Argument } from "./command_class.ts";
import type { RedisCommands, SentCommand } from "./commands.ts";
import { isSyntaxError } from "./errors.ts";
import { Evaluation } from "./evaluate.ts";
import { SET } from "./scripts.ts";

/** A `SET` with `PXAT`, or a script on servers that lack it. */
export class SetUntil implements SentCommand {
  #last: SentCommand;

  /** The reply of `SET`. */
  readonly reply: Promise<unknown>;

  /**
   * Sends the command.
   *
   * @param commands Issues commands.
   * @param name The name in Redis.
   * @param value The value.
   * @param expires The expiry, in epoch milliseconds.
   * @param condition `NX` or nothing.
   */
  constructor(
    commands: RedisCommands,
    name: string,
    value: Argument,
    expires: number,
    ...condition: "NX"[]
  ) {
    const run = () =>
      new Evaluation(commands, SET, [name], [
        value,
        `-${expires}`,
        ...condition,
      ]);
    if (!commands.hasPxat) {
      this.#last = run();
      this.reply = this.#last.reply;
      return;
    }
    const args = [name, value, "PXAT", `${expires}`, ...condition];
    this.#last = commands.send("set", args);
    this.reply = this.#last.reply.catch((error) => {
      if (!isSyntaxError(error)) throw error;
      commands.hasPxat = false;
      this.#last = run();
      return this.#last.reply;
    });
  }

  mayBeApplied(error: unknown): boolean {
    return this.#last.mayBeApplied(error);
  }
}
