/**
 * Compare-and-swap: one step on the server, by the bytes that are stored.
 *
 * @module
 */

import type { KvCasCall } from "../core/call.ts";
import { pause } from "../core/retry.ts";
import type { EncodedValue } from "../core/value.ts";
import {
  argument,
  assertWritten,
  readValue,
  readValues,
  stored,
} from "./codec.ts";
import type { Argument } from "./command_class.ts";
import type { RedisCommands, SentCommand } from "./commands.ts";
import { Evaluation } from "./evaluate.ts";
import { INDEXED_SWAP } from "./index_scripts.ts";
import { lifeOf, type Script, SWAP } from "./scripts.ts";
import { SetUntil } from "./set_until.ts";

/** How often to attempt a swap of a value whose form changes meanwhile. */
const MAX_ATTEMPTS = 10;

/**
 * The commands of a `cas`. The server compares bytes. Where it finds others, their
 * content decides, and if only the form differs, they are what is expected next.
 * Each command is issued after the answer to the one before, so the last one
 * decides whether the swap may have been made.
 */
export class Swap implements SentCommand {
  readonly #commands: RedisCommands;
  readonly #name: string;
  readonly #call: KvCasCall;
  readonly #index: string | undefined;
  #last: SentCommand | undefined;

  /** Whether the swap was made. */
  readonly reply: Promise<boolean>;

  /**
   * Issues the first command.
   *
   * @param commands Issues commands.
   * @param name The key in Redis.
   * @param call The call, which it does not settle.
   * @param index The name of the index that the swap has to maintain, if any.
   */
  constructor(
    commands: RedisCommands,
    name: string,
    call: KvCasCall,
    index: string | undefined,
  ) {
    this.#commands = commands;
    this.#name = name;
    this.#call = call;
    this.#index = index;
    this.reply = call.expected === undefined
      ? this.#create()
      : this.#replace(call.expected);
  }

  mayBeApplied(error: unknown): boolean {
    return this.#last?.mayBeApplied(error) ?? false;
  }

  /** Writes an entry that is missing, or reports that there is nothing to delete. */
  async #create(): Promise<boolean> {
    const { value, ttl, expires } = this.#call;
    if (value === undefined) {
      const found = await this.#commands.read("mget", [this.#name]);
      return readValues(found, 1)[0] === null;
    }
    if (this.#index !== undefined) return isOne(await this.#evaluate(""));
    const args = [this.#name, argument(value)];
    if (expires !== undefined) {
      this.#last = new SetUntil(
        this.#commands,
        this.#name,
        argument(value),
        expires,
        "NX",
      );
    } else {
      if (ttl !== undefined) args.push("PX", `${ttl}`);
      this.#last = this.#commands.send("set", [...args, "NX"]);
    }
    const reply = await this.#last.reply;
    if (reply === null) return false;
    assertWritten(reply, false);
    return true;
  }

  /** Replaces the expected bytes, or others of equal content. */
  async #replace(expected: EncodedValue): Promise<boolean> {
    for (let attempt = 1;; attempt++) {
      const reply = await this.#evaluate(expected);
      if (isOne(reply)) return true;
      const current = readValue(reply);
      if (current === null) return false;
      const found = stored(current);
      if (!this.#call.matches(found)) return false;
      if (attempt === MAX_ATTEMPTS) {
        // Each attempt was answered, and none was applied.
        this.#last = undefined;
        throw new Error(
          `other clients wrote the same value in another form ${attempt} times`,
        );
      }
      if (attempt > 1) await pause(Math.random() * 2 ** attempt);
      expected = found;
    }
  }

  #evaluate(expected: EncodedValue): Promise<unknown> {
    const { value, ttl } = this.#call;
    if (this.#index !== undefined) {
      return this.#run(INDEXED_SWAP, [this.#index, this.#name], [
        argument(expected),
        value === undefined ? "" : argument(value),
        lifeOf(this.#call),
      ]);
    }
    const args = [argument(expected)];
    if (value !== undefined) args.push(argument(value));
    if (ttl !== undefined) args.push(lifeOf(this.#call));
    return this.#run(SWAP, [this.#name], args);
  }

  #run(script: Script, keys: string[], args: Argument[]): Promise<unknown> {
    this.#last = new Evaluation(this.#commands, script, keys, args);
    return this.#last.reply;
  }
}

/** Whether a reply is 1, which is text with ioredis's option `stringNumbers`. */
function isOne(reply: unknown): boolean {
  return reply === 1 || reply === "1";
}
