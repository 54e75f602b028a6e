/**
 * The scripts of the index of keys, for Redis 5 and later.
 *
 * @module
 */

import { type Script, WRITE_LIFE } from "./scripts.ts";

/** The member of a sorted set that says that it is complete; no id has a space. */
export const COMPLETE = " complete";

/** What the name of the index of a single server has after the prefix. */
export const INDEX = " index";

/** The id of a name, given the index of its store. */
const ID = (name: string) =>
  `string.sub(${name}, #KEYS[1] - ${INDEX.length - 1})`;

/**
 * Writes and deletes entries together with their places in the index. Keys: the
 * index and the names. Arguments: for each name its value (nothing to delete it)
 * and its life.
 */
export const WRITE: Script = {
  sha1: "437d3f11bafd53a531c1cfa4b81539c7063c82b9",
  source: `${WRITE_LIFE}
local index = KEYS[1]
local added, removed = {}, {}
for i = 2, #KEYS do
  local id = ${ID("KEYS[i]")}
  if ARGV[2 * i - 3] == "" then removed[#removed + 1] = id
  else
    added[#added + 1] = 0
    added[#added + 1] = id
  end
end
if #added > 0 then redis.call("ZADD", index, unpack(added)) end
if #removed > 0 then redis.call("ZREM", index, unpack(removed)) end
for i = 2, #KEYS do
  local value = ARGV[2 * i - 3]
  if value == "" then redis.call("DEL", KEYS[i])
  else write(KEYS[i], value, ARGV[2 * i - 2]) end
end
return 1`,
};

/**
 * Swaps a value together with its place in the index: 1 if so, else what is
 * stored, or 0 if no entry was expected. Keys: the index and the name. Arguments:
 * the expected value (nothing for no entry), the new one (nothing to delete) and
 * its life.
 */
export const INDEXED_SWAP: Script = {
  sha1: "fde4907fef3cfbd9498591048a2b669e58d179ec",
  source: `${WRITE_LIFE}
if ARGV[1] == "" then
  if redis.call("EXISTS", KEYS[2]) == 1 then return 0 end
else
  local current = redis.call("GET", KEYS[2])
  if current ~= ARGV[1] then return current end
end
local id = ${ID("KEYS[2]")}
if ARGV[2] == "" then
  redis.call("ZREM", KEYS[1], id)
  redis.call("DEL", KEYS[2])
else
  redis.call("ZADD", KEYS[1], 0, id)
  write(KEYS[2], ARGV[2], ARGV[3])
end
return 1`,
};

/**
 * Removes names from the index that have no string: how many. Keys: the index
 * and the names.
 */
export const DROP: Script = {
  sha1: "7c2e1d0f971438d2f08369332ebe793c41f2cc87",
  source: `
local removed = {}
for i = 2, #KEYS do
  if redis.call("TYPE", KEYS[i]).ok ~= "string" then
    removed[#removed + 1] = ${ID("KEYS[i]")}
  end
end
if #removed == 0 then return 0 end
return redis.call("ZREM", KEYS[1], unpack(removed))`,
};

/**
 * Puts ids into one of the indexes of a Cluster, and takes their marks away.
 * Keys: the index, and the marks of what seems to have no data. Arguments: ids.
 */
export const ADD: Script = {
  sha1: "7d4676facf8d7f74fbc7ebe33512089f43dcf4a5",
  source: `
local added = {}
for i, id in ipairs(ARGV) do
  added[2 * i - 1] = 0
  added[2 * i] = id
end
redis.call("HDEL", KEYS[2], unpack(ARGV))
return redis.call("ZADD", KEYS[1], unpack(added))`,
};

/**
 * Marks ids that seem to have no data, and returns those that were marked so long
 * ago that no write of them is under way, each with its mark. Keys: as for `ADD`.
 * Arguments: how many seconds ago, and ids.
 */
export const MARK: Script = {
  sha1: "f53534dd3055af09e3140929e659053760af4b63",
  source: `
local now = tonumber(redis.call("TIME")[1])
local old = {}
for i = 2, #ARGV do
  local mark = redis.call("HGET", KEYS[2], ARGV[i])
  if not mark then
    if redis.call("ZSCORE", KEYS[1], ARGV[i]) then
      redis.call("HSET", KEYS[2], ARGV[i], now)
    end
  elseif tonumber(mark) + tonumber(ARGV[1]) < now then
    old[#old + 1] = ARGV[i]
    old[#old + 1] = mark
  end
end
return old`,
};

/**
 * Removes ids whose marks are still the same: how many. Keys: as for `ADD`.
 * Arguments: ids and marks in turn.
 */
export const UNMARK: Script = {
  sha1: "253747b0498e512c1bad3a7caee0ef0449ada988",
  source: `
local removed = 0
for i = 1, #ARGV, 2 do
  if redis.call("HGET", KEYS[2], ARGV[i]) == ARGV[i + 1] then
    redis.call("HDEL", KEYS[2], ARGV[i])
    removed = removed + redis.call("ZREM", KEYS[1], ARGV[i])
  end
end
return removed`,
};
