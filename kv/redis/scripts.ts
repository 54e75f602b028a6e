/**
 * What the server does in one step: scripts for Redis 5 and later.
 *
 * @module
 */

/** A script, and the digest by which a server knows it. */
export interface Script {
  /** The source. */
  readonly source: string;
  /** Its SHA-1. */
  readonly sha1: string;
}

/**
 * Writes a value if the stored one has the expected bytes: 1 if so, else what
 * is stored. Arguments: the expected value, the new one (none to delete), and
 * its TTL (none for no TTL).
 */
export const SWAP: Script = {
  sha1: "83af418c5e84b8e85a2ba9123ab04d0c1b08cb43",
  source: `
local current = redis.call("GET", KEYS[1])
if current ~= ARGV[1] then return current end
if ARGV[3] then redis.call("SET", KEYS[1], ARGV[2], "PX", ARGV[3])
elseif ARGV[2] then redis.call("SET", KEYS[1], ARGV[2])
else redis.call("DEL", KEYS[1]) end
return 1`,
};

/**
 * Reads values as long as they fit a number of bytes, which is the argument. For
 * each key: the value, or its length if it does not fit any more, or nothing if
 * there is no string; and the milliseconds that it has yet to live.
 */
export const READ: Script = {
  sha1: "dbce447ef5c4c963548cc4395f808157f9288866",
  source: `
local left = tonumber(ARGV[1])
local answer = {}
for i, key in ipairs(KEYS) do
  local value = redis.pcall("GETRANGE", key, 0, left)
  local expiry = -2
  if type(value) == "table" then
    if not string.find(value.err, "WRONGTYPE", 1, true) then return value end
    value = false
  else
    expiry = redis.call("PTTL", key)
    if #value > left then value = redis.call("STRLEN", key)
    else left = left - #value end
  end
  answer[2 * i - 1] = value
  answer[2 * i] = expiry
end
return answer`,
};
