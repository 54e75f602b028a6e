/** What `kv doctor` checks on Redis. */

import { connectRedis } from "../../open/redis.ts";
import { clock, fault, type Finding, ok, type Subject } from "./finding.ts";

type Command = (...words: string[]) => Promise<unknown>;

/** How long to wait for the server, in milliseconds. */
const PATIENCE = 10_000;

/** The most names to look at for foreign entries. */
const MAX_NAMES = 10_000;

/** Checks the server that a store on Redis uses. */
export async function* diagnoseRedis(
  { url, keyPrefix }: Subject,
): AsyncGenerator<Finding> {
  const { client, close } = await connectRedis(url);
  const isCluster = url.startsWith("redis+cluster:");
  try {
    // A Cluster answers with what one of its masters says.
    const command: Command = (...words) =>
      typeof client.call === "function"
        ? client.call(...words)
        : client.sendCommand(
          ...(isCluster ? [undefined, true] : []),
          words,
        );
    // The store itself reports better why there is no connection.
    if (!await answers(command("PING"))) return;
    let info: Map<string, string>;
    try {
      info = infoOf(`${await command("INFO")}`);
    } catch (error) {
      yield fault(
        "warning",
        "server",
        `INFO fails: ${(error as Error).message}`,
        "grant +info, or check persistence and eviction by hand",
      );
      return;
    }
    yield* settings(info, isCluster);
    const before = Date.now();
    const time = await command("TIME").catch(() => undefined);
    if (Array.isArray(time)) {
      const milliseconds = Number(time[0]) * 1_000 + Number(time[1]) / 1_000;
      yield clock(milliseconds, before, Date.now());
    }
    if (!isCluster) yield await foreign(command, keyPrefix);
  } finally {
    await close();
  }
}

/** Whether a command is answered at all. */
async function answers(reply: Promise<unknown>): Promise<boolean> {
  const silence = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => silence.resolve(false), PATIENCE);
  try {
    return await Promise.race([
      reply.then(() => true, (error) => /NOPERM/.test(error.message)),
      silence.promise,
    ]);
  } finally {
    clearTimeout(timer);
  }
}

function* settings(
  info: ReadonlyMap<string, string>,
  isCluster: boolean,
): Generator<Finding> {
  const version = info.get("redis_version") ?? "unknown";
  yield Number.parseInt(version) >= 5
    ? ok("version", `Redis ${version}`)
    : fault("error", "version", `Redis ${version}`, "use Redis 5 or later");
  const inCluster = info.get("cluster_enabled") === "1";
  if (inCluster && !isCluster) {
    yield fault(
      "error",
      "cluster",
      "the server is a node of a Cluster",
      "use a URL that begins with redis+cluster: and names some of the nodes",
    );
  }
  const role = info.get("role") ?? "master";
  yield role === "master" ? ok("role", "master") : fault(
    "error",
    "role",
    "the server is a replica, which rejects writes",
    "connect to the master",
  );
  yield eviction(
    info.get("maxmemory_policy") ?? "unknown",
    Number(info.get("maxmemory") ?? 0),
  );
  yield* persistence(info);
}

function eviction(policy: string, limit: number): Finding {
  if (policy === "noeviction") {
    return limit > 0
      ? ok("eviction", "noeviction: writes fail when the memory is full")
      : ok("eviction", "noeviction");
  }
  return fault(
    limit > 0 ? "error" : "warning",
    "eviction",
    `maxmemory-policy is ${policy}: ` +
      (limit > 0
        ? "Redis deletes entries that have not expired when its memory is full"
        : "without effect, as maxmemory is 0"),
    "CONFIG SET maxmemory-policy noeviction, and the same in redis.conf",
  );
}

function* persistence(info: ReadonlyMap<string, string>): Generator<Finding> {
  if (info.get("aof_enabled") === "1") {
    yield ok("persistence", "append-only file");
  } else {
    const never = Number(info.get("rdb_last_save_time") ?? 0) <=
      Date.now() / 1_000 - Number(info.get("uptime_in_seconds") ?? 0);
    yield fault(
      "warning",
      "persistence",
      never
        ? "no append-only file, and no snapshot since the start: a restart " +
          "may lose everything"
        : "snapshots only: a crash loses what was written since the last one",
      "set appendonly yes",
    );
  }
  for (
    const name of [
      "aof_last_write_status",
      "aof_last_bgrewrite_status",
      "rdb_last_bgsave_status",
    ]
  ) {
    if ((info.get(name) ?? "ok") !== "ok") {
      yield fault(
        "error",
        "persistence",
        `${name} is ${info.get(name)}`,
        "look into the log of the server: is the disk full?",
      );
    }
  }
}

/** Looks for names under the prefix that are no entries. */
async function foreign(
  command: Command,
  keyPrefix: string,
): Promise<Finding> {
  let cursor = "0";
  let names = 0;
  const others: string[] = [];
  const pattern = `${keyPrefix.replace(/[\\*?[\]]/g, "\\$&")}!*`;
  try {
    do {
      const [next, found] = await command(
        "SCAN",
        cursor,
        "MATCH",
        pattern,
        "COUNT",
        "1000",
      ) as [string, string[]];
      cursor = `${next}`;
      for (const name of found.slice(0, 20)) {
        const type = await command("TYPE", name);
        if (`${type}` !== "string") others.push(`${name} (${type})`);
      }
      names += 1_000;
    } while (cursor !== "0" && names < MAX_NAMES && others.length === 0);
  } catch (error) {
    return fault(
      "note",
      "foreign entries",
      `not checked: ${(error as Error).message}`,
      "grant +scan and +type to let kv doctor look",
    );
  }
  const ours = others.filter((it) => !it.startsWith(`${keyPrefix}! `));
  return ours.length === 0
    ? ok("foreign entries", `none found under ${keyPrefix}!`)
    : fault(
      "warning",
      "foreign entries",
      `another program uses names under the prefix, such as ${ours[0]}`,
      "give the store a prefix of its own by keyPrefix",
    );
}

function infoOf(text: string): Map<string, string> {
  return new Map(
    text.split(/\r?\n/).filter((line) => line.includes(":")).map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon), line.slice(colon + 1)];
    }),
  );
}
