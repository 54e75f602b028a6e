/**
 * What the server does in one step: scripts for Redis 5 and later.
 *
 * @module
 */

import type { KvCall } from "../core/call.ts";

/** A script, and the digest by which a server knows it. */
export interface Script {
  /** The source. */
  readonly source: string;
  /** Its SHA-1. */
  readonly sha1: string;
}

/** The life of what a call writes, as an argument of a script. */
export function lifeOf({ ttl, expires }: KvCall): string {
  return expires === undefined ? `${ttl ?? ""}` : `-${expires}`;
}

/**
 * A function of scripts that writes a value with its life: nothing for no end, a
 * TTL, or `-` and the expiry. Servers before Redis 6.2 have no `PXAT`.
 */
export const WRITE_LIFE = `
local function write(key, value, life)
  if not life or life == "" then return redis.call("SET", key, value) end
  if string.sub(life, 1, 1) ~= "-" then
    return redis.call("SET", key, value, "PX", life)
  end
  local expires = string.sub(life, 2)
  local reply = redis.pcall("SET", key, value, "PXAT", expires)
  if not reply.err then return reply end
  if not string.find(reply.err, "syntax error", 1, true) then
    error(reply.err, 0)
  end
  local time = redis.call("TIME")
  local left = expires - time[1] * 1000 - math.floor(time[2] / 1000)
  if left > 0 then redis.call("SET", key, value, "PX", left)
  else redis.call("DEL", key) end
  return redis.status_reply("OK")
end`;

/** Writes a value. Arguments: the value, its life, and `NX` or nothing. */
export const SET: Script = {
  sha1: "7bd3f6345f3e16505552733218736ee0c582dfb9",
  source: `${WRITE_LIFE}
if ARGV[3] and redis.call("EXISTS", KEYS[1]) == 1 then return false end
return write(KEYS[1], ARGV[1], ARGV[2])`,
};

/**
 * Writes a value if the stored one has the expected bytes: 1 if so, else what
 * is stored. Arguments: the expected value, the new one (none to delete), and
 * its life.
 */
export const SWAP: Script = {
  sha1: "8161a5025244ac525cbe15e0b3c19e1cda85154b",
  source: `${WRITE_LIFE}
local current = redis.call("GET", KEYS[1])
if current ~= ARGV[1] then return current end
if ARGV[2] then write(KEYS[1], ARGV[2], ARGV[3])
else redis.call("DEL", KEYS[1]) end
return 1`,
};

/**
 * Reads values as long as they fit a number of bytes, which is the argument. For
 * each key: the value, or its length if it does not fit any more, or nothing if
 * there is no string; the milliseconds that it has yet to live; and its expiry
 * (within 1 ms before Redis 7), or -2 if the user has no right to find it out.
 */
export const READ: Script = {
  sha1: "05e89b3a54ab99a68d56f50ecc933268696ae781",
  source: `
local left = tonumber(ARGV[1])
local tells = true
local answer = {}
for i, key in ipairs(KEYS) do
  local value = redis.pcall("GETRANGE", key, 0, left)
  local life = -2
  local expiry = -2
  if type(value) == "table" then
    if not string.find(value.err, "WRONGTYPE", 1, true) then return value end
    value = false
  else
    life = redis.call("PTTL", key)
    if life > 0 and tells then
      expiry = redis.pcall("PEXPIRETIME", key)
      if type(expiry) == "table" then tells, expiry = false, -2 end
    end
    if life > 0 and not tells then
      local time = redis.pcall("TIME")
      if not time.err then
        expiry = time[1] * 1000 + math.floor(time[2] / 1000) + life
      end
    end
    if #value > left then value = redis.call("STRLEN", key)
    else left = left - #value end
  end
  answer[3 * i - 2] = value
  answer[3 * i - 1] = life
  answer[3 * i] = expiry
end
return answer`,
};
