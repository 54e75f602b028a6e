/**
 * Compare-and-swap: one step on the server, by the bytes that are stored.
 *
 * @module
 */

import type { Buffer } from "node:buffer";
import type { KvCasCall } from "../core/call.ts";
import type { RedisClient } from "./client.ts";
import { Attempt, type RedisConnections } from "./connections.ts";
import { type Argument, evaluate, SWAP } from "./scripts.ts";
import { argument, stored } from "./codec.ts";
import type { EncodedValue } from "../core/value.ts";

/**
 * Carries out a `cas`. The server compares bytes; where it finds others, their
 * content decides, and if only the form differs, they are what is expected next.
 *
 * @param client The client.
 * @param connections Its connections.
 * @param name The key in Redis.
 * @param call The call, which it settles.
 */
export async function swap(
  client: RedisClient,
  connections: RedisConnections,
  name: string,
  call: KvCasCall,
): Promise<void> {
  let { expected } = call;
  while (true) {
    const attempt = new Attempt(connections);
    try {
      const current = await connections.answer(() =>
        expected === undefined
          ? create(client, name, call)
          : replace(client, name, call, expected, attempt)
      );
      if (attempt.isRepeated) {
        throw new Error("the connection broke before the answer");
      }
      if (current === true) return call.resolve(true);
      if (current === undefined || !call.matches(stored(current))) {
        return call.resolve(false);
      }
      expected = current;
    } catch (error) {
      return attempt.reject(call, error);
    }
  }
}

/** Writes an entry that is not there, or tells that none is to be deleted. */
async function create(
  client: RedisClient,
  name: string,
  { value, ttl }: KvCasCall,
): Promise<true | undefined> {
  if (value === undefined) {
    const [found] = await client.mgetBuffer([name]);
    return found ? undefined : true;
  }
  const answer = ttl === undefined
    ? await client.set(name, argument(value), "NX")
    : await client.set(name, argument(value), "PX", ttl, "NX");
  return answer === null ? undefined : true;
}

/** Replaces the expected bytes: `true`, or what is there instead. */
async function replace(
  client: RedisClient,
  name: string,
  { value, ttl }: KvCasCall,
  expected: EncodedValue,
  attempt: Attempt,
): Promise<true | Buffer | undefined> {
  const values: Argument[] = [argument(expected)];
  if (value !== undefined) values.push(argument(value));
  if (ttl !== undefined) values.push(ttl);
  const answer = await evaluate(
    client,
    SWAP,
    [name],
    values,
    () => !attempt.isRepeated,
  ) as 1 | "1" | Buffer | null;
  // With ioredis's option `stringNumbers`, numbers come as text.
  return answer === 1 || answer === "1" ? true : answer ?? undefined;
}
