/**
 * Commands that reach a server at most once, whatever the client's options.
 *
 * @module
 */

import type { Buffer } from "../core/builtin.ts";
import type { RedisClient } from "./client.ts";
import {
  type Argument,
  type Command,
  type CommandClass,
  commandClassOf,
} from "./command_class.ts";
import { isAborted, isRejection } from "./errors.ts";

/*
 * When a connection breaks, ioredis keeps the commands that have no answer yet and
 * sends them again on the next connection. A write that the server had already
 * applied is then applied twice, over what another client wrote in between, and
 * a compare-and-swap fails because of the client's first attempt. Nothing in the
 * answer tells.
 *
 * But ioredis does not resend the rest of a pipeline that was partly answered: it
 * rejects those commands when the connection closes. It recognizes them by
 * `pipelineIndex`, which only says that a command is not where it should be in
 * its pipeline. All commands of a store have an impossible index, so ioredis
 * rejects each one that was sent and not answered, at once, on a single server
 * and on a Cluster. Commands that were not sent yet wait for the next connection
 * as usual. `toWritable` is called when a command is written to its socket, so
 * whether a command was sent is known exactly.
 *
 * Reads are issued again by the store, as ioredis would do.
 *
 * A command is an object of the client's own class. Its arguments are set after
 * its constructor has run and its reply is taken as it comes, so that no option
 * of a client (prefix, transformers, auto-pipelining) changes either.
 */

/** How often a read is issued again, unless the client has a limit. */
const MAX_ATTEMPTS = 20;

/** The index of no command in a pipeline: such commands are never resent. */
const NO_INDEX = -1;

/** What is sent in place of a command whose call has failed already. */
const PING = "*1\r\n$4\r\nPING\r\n";

/** A command that was issued, or several on behalf of one call. */
export interface SentCommand {
  /** The reply as the server sent it, with strings as buffers. */
  readonly reply: Promise<unknown>;
  /** Whether the server may have applied it, given the error of its reply. */
  mayBeApplied(error: unknown): boolean;
}

/** Issues commands through a client. */
export class RedisCommands {
  /** Whether `SET` takes `PXAT`, as far as it is known. */
  hasPxat = true;
  readonly #client: RedisClient;
  readonly #Command: OnceClass;

  /**
   * Takes a client of ioredis.
   *
   * @param client The client, which was checked.
   */
  constructor(client: RedisClient) {
    this.#client = client;
    this.#Command = onceClassOf(client);
  }

  /**
   * Issues a command. It is sent at most once, redirections in a Cluster aside.
   *
   * @param name The name of the command, in lower case.
   * @param args Its arguments, with full key names.
   * @param node The client of one node of a Cluster, to send it there.
   * @returns The command.
   */
  send(
    name: string,
    args: Argument[],
    node: RedisClient = this.#client,
  ): SentCommand {
    const command = new this.#Command(name, args);
    try {
      node.sendCommand(command as never);
    } catch (error) {
      command.reject(error);
    }
    return command;
  }

  /**
   * Issues a command that changes nothing, and issues it again if the connection
   * breaks before the answer.
   *
   * @param name The name of the command, in lower case.
   * @param args Its arguments, with full key names.
   * @param node The client of one node of a Cluster, to send it there.
   * @returns The reply as the server sent it, with strings as buffers.
   */
  read(name: string, args: Argument[], node?: RedisClient): Promise<unknown> {
    const again = (error: unknown) => this.readAgain(error, name, args, node);
    return this.send(name, args, node).reply.catch(again);
  }

  /**
   * Issues a command again that changes nothing and whose connection broke, unless
   * the client is made not to.
   *
   * @param error The error of its reply, thrown if it means something else.
   * @param name The name of the command, in lower case.
   * @param args Its arguments, with full key names.
   * @param node The client of one node of a Cluster, to send it there.
   * @returns The reply as the server sent it, with strings as buffers.
   */
  async readAgain(
    error: unknown,
    name: string,
    args: Argument[],
    node?: RedisClient,
  ): Promise<unknown> {
    const { autoResendUnfulfilledCommands = true, maxRetriesPerRequest } =
      this.#client.options;
    const attempts = maxRetriesPerRequest ?? MAX_ATTEMPTS;
    for (let i = 0; i < attempts; i++) {
      if (!autoResendUnfulfilledCommands || !isAborted(error)) throw error;
      await this.recover();
      try {
        return await this.send(name, args, node).reply;
      } catch (latest) {
        error = latest;
      }
    }
    throw error;
  }

  /**
   * Has a Cluster find out which nodes it has, after a connection broke. Until
   * then, ioredis may follow so many redirections to a node that it has lost that
   * it gives up.
   */
  async recover(): Promise<void> {
    const client = this.#client;
    if (client.refreshSlotsCache === undefined) return;
    await new Promise<void>((resolve) =>
      client.refreshSlotsCache!(() => resolve())
    );
  }
}

type OnceClass = new (name: string, args: Argument[]) => Command & SentCommand;

/** The classes derived so far, each from the class of a version of ioredis. */
const derived = new WeakMap<CommandClass, OnceClass>();

/** The class of commands for a client, derived from the client's own. */
function onceClassOf(client: RedisClient): OnceClass {
  const Command = commandClassOf(client)!;
  let Once = derived.get(Command);
  if (Once === undefined) derived.set(Command, Once = derive(Command));
  return Once;
}

function derive(Base: CommandClass): OnceClass {
  return class extends Base implements SentCommand {
    #isSent = false;
    #isCancelled = false;

    constructor(name: string, args: Argument[]) {
      // Transformers are found by the name and would see the arguments here.
      super("", [], {});
      this.name = name;
      this.args = args;
      this.bufferMode = args.some((arg) => typeof arg !== "string");
      this.pipelineIndex = NO_INDEX;
    }

    get reply(): Promise<unknown> {
      return this.promise;
    }

    mayBeApplied(error: unknown): boolean {
      // A command that timed out may still be in the client's queue.
      if (!this.#isSent) this.#isCancelled = true;
      return this.#isSent && !isRejection(error);
    }

    override toWritable(socket: unknown): string | Buffer {
      if (this.#isCancelled) return PING;
      const written = super.toWritable(socket);
      this.#isSent = true;
      return written;
    }

    override transformReply(reply: unknown): unknown {
      return reply;
    }
  };
}
