/** What spans and metrics say of a store, an operation and an error. */

import type { Attributes } from "@opentelemetry/api";
import {
  KvCorruptionError,
  KvOutcomeUnknownError,
  KvOverloadError,
} from "../kv/errors.ts";

/** `db.system.name` of each driver; the conventions know the first four. */
const SYSTEMS: Readonly<Record<string, string>> = {
  sqlite: "sqlite",
  redis: "redis",
  postgres: "postgresql",
  mysql: "mysql",
  deno: "deno.kv",
  workers: "cloudflare.kv",
  "durable-object": "cloudflare.durable_object",
};

/** The attributes of a store. */
export function storeAttributes(
  { driver, collection }: { driver: string; collection?: string | undefined },
): Attributes {
  const system = SYSTEMS[driver] ?? driver;
  return collection === undefined ? { "db.system.name": system } : {
    "db.system.name": system,
    "db.collection.name": collection,
  };
}

/** Codes and class names, which never hold what a user stored. */
const CODE = /^[\w.-]{1,64}$/;

/**
 * `error.type`: our own class where it tells what happened, otherwise the code or
 * class of the client's error. No message, as it contains keys.
 */
export function errorAttributes(error: unknown): Attributes {
  if (
    error instanceof KvOutcomeUnknownError ||
    error instanceof KvCorruptionError || error instanceof KvOverloadError
  ) return { "error.type": error.name };
  const { cause = error } = Object(error) as { cause?: unknown };
  const { code, name, sqlState } = Object(cause) as Record<string, unknown>;
  const status = [sqlState, code].find((it) => /^[0-9A-Z]{5}$/.test(`${it}`));
  const type = [code, name].find((it) => CODE.test(`${it ?? "-"}`));
  return {
    "error.type": type === undefined ? "_OTHER" : `${type}`,
    ...status === undefined ? {} : { "db.response.status_code": `${status}` },
  };
}
