/**
 * Prints how much memory a listing takes whose pages must shrink at once: 3,000
 * small entries, followed by 600 of 1 MB. `deno task bench:list [store…]`
 *
 * "Live" is what is reachable, measured by collecting garbage all the time;
 * "resident" is what the process takes from the machine otherwise. Both are the
 * peak during the listing, less what there was before.
 *
 * @module
 */
import type { KvStore } from "../mod.ts";
import { openKv } from "../open/mod.ts";
import { sharedUrl } from "../servers/mod.ts";
import { makeFolder } from "./folder.ts";
import { fill, type Peaks, PREFIX, read } from "./list_memory/layout.ts";
import { measureWorker } from "./list_memory/workerd.ts";

declare function gc(): void;

/** Where each store is, and how to name it there. */
const places: Record<string, (folder: string) => string | Promise<string>> = {
  "memory": () => "memory:",
  "sqlite": (folder) => `sqlite:${folder}/sqlite.db`,
  "deno": (folder) => `deno:${folder}/deno.db`,
  "redis": () => sharedUrl("redis"),
  "redis-cluster": async () => {
    const nodes = (await sharedUrl("redis-cluster")).split(",")
      .map((url) => new URL(url));
    const { username, password } = nodes[0]!;
    const hosts = nodes.map(({ host }) => host).join(",");
    return `redis+cluster://${username}:${password}@${hosts}`;
  },
  "postgres": () => sharedUrl("postgres"),
  "pglite": (folder) => `pglite:${folder}/pglite`,
  "mariadb": () => sharedUrl("mariadb"),
};

/** Stores that run in workerd. */
const workers = ["workers", "durable-object"];

async function measure(name: string, folder: string): Promise<Peaks> {
  if (workers.includes(name)) return await measureWorker(name);
  const url = await places[name]!(folder);
  if (name === "memory") return await inProcess(url, "both");
  {
    await using kv = await openKv(url);
    await fill(kv);
  }
  try {
    const { live } = await inProcess(url, "live");
    return { live, resident: (await inProcess(url, "resident")).resident };
  } finally {
    await using kv = await openKv(url);
    await kv.clear(PREFIX);
  }
}

/** Lists in a process that nobody else uses. */
async function inProcess(url: string, what: string): Promise<Peaks> {
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--allow-all",
      "--unstable-kv",
      "--v8-flags=--expose-gc",
      import.meta.filename!,
      "--child",
      url,
      what,
    ],
    stderr: "inherit",
  }).output();
  if (!success) throw new Error("Cannot measure: the process failed");
  return JSON.parse(new TextDecoder().decode(stdout));
}

async function child(url: string, what: string): Promise<Peaks> {
  await using kv = await openKv(url);
  if (what === "both") {
    await fill(kv);
    // What filling took is still resident.
    return { live: await peakOfLive(kv) };
  }
  // What a first call loads is no part of the listing.
  await kv.get(PREFIX);
  return what === "live"
    ? { live: await peakOfLive(kv) }
    : { live: 0, resident: await peakOfResident(kv) };
}

async function peakOfLive(kv: KvStore): Promise<number> {
  const start = live();
  let peak = 0;
  const sample = () => peak = Math.max(peak, live() - start);
  const timer = setInterval(sample, 20);
  await read(kv, (entries, value) => {
    // Among the large ones, both the first and the last of a page.
    if (entries % (value.length > 1_000 ? 5 : 100) === 0) sample();
  });
  clearInterval(timer);
  return peak;
}

function live(): number {
  gc();
  const { heapUsed, external } = Deno.memoryUsage();
  return heapUsed + external;
}

async function peakOfResident(kv: KvStore): Promise<number> {
  gc();
  const start = Deno.memoryUsage().rss;
  // Linux forgets the peak so far.
  Deno.writeTextFileSync("/proc/self/clear_refs", "5");
  await read(kv);
  const status = Deno.readTextFileSync("/proc/self/status");
  return Number(/VmHWM:\s+(\d+)/.exec(status)![1]) * 1_024 - start;
}

if (Deno.args[0] === "--child") {
  const [, url, what] = Deno.args;
  console.log(JSON.stringify(await child(url!, what!)));
} else {
  const names = Object.keys(places).concat(workers);
  const chosen = Deno.args.length > 0 ? Deno.args : names;
  console.log("MB over what there was before  live  resident");
  for (const name of chosen) {
    if (!names.includes(name)) {
      throw new TypeError(
        `Cannot measure: a store must be one of ${names}: received ${name}`,
      );
    }
    const folder = makeFolder();
    try {
      const { live, resident } = await measure(name, folder.path);
      const text = [live, resident]
        .map((bytes) =>
          bytes === undefined ? "–" : (bytes / 1_048_576).toFixed(1)
        )
        .map((text) => text.padStart(10)).join("");
      console.log(`${name.padEnd(25)}${text}`);
    } finally {
      folder.remove();
    }
  }
  Deno.exit();
}
