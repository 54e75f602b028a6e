/**
 * The class of commands that a client of ioredis has.
 *
 * @module
 */

import type { Buffer } from "../core/builtin.ts";

/** An argument of a command. */
export type Argument = string | Buffer;

/** What the store needs of a command of ioredis. */
export interface Command {
  /** Its name. */
  name: string;
  /** Its arguments, as they are sent. */
  args: Argument[];
  /** Whether there are buffers among them. */
  bufferMode?: boolean;
  /** Its place in a pipeline. */
  pipelineIndex?: number;
  /** What the caller waits for. */
  readonly promise: Promise<unknown>;
  /** Rejects the promise. */
  reject(error: unknown): void;
  /** Returns what is sent; called for each attempt. */
  toWritable(socket: unknown): string | Buffer;
  /** Turns the reply of the server into what the promise resolves to. */
  transformReply(reply: unknown): unknown;
}

/** The class of commands. */
export type CommandClass = new (
  name: string,
  args: Argument[],
  options: object,
) => Command;

/** What is probed of a client. */
interface Probed {
  mgetBuffer(keys: string[]): Promise<unknown>;
}

/**
 * Finds out which class the commands of a client have, without sending any.
 *
 * @param client The client.
 * @returns The class, or `undefined` if it is not that of ioredis.
 */
export function commandClassOf(client: Probed): CommandClass | undefined {
  let command: Partial<Command> | undefined;
  const probe = Object.create(client, {
    options: { value: {} },
    sendCommand: { value: (sent: Command) => void (command = sent) },
  }) as Probed;
  try {
    probe.mgetBuffer(["probe"])?.catch(() => {});
  } catch {
    return undefined;
  }
  const isKnown = typeof command?.toWritable === "function" &&
    typeof command.transformReply === "function";
  return isKnown ? command!.constructor as CommandClass : undefined;
}
