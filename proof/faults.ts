/** The faults that strike while histories are played. */
import type { Server } from "../servers/mod.ts";
import type { Cut, FaultProxy } from "../testing/fault_proxy.ts";
import { emptyDisk, fillDisk } from "./disk.ts";
import { between, oneOf, type Random } from "./random.ts";
import {
  flushScripts,
  holdLock,
  limit,
  processesOf,
  rejectWrites,
  terminate,
} from "./servers.ts";
import { type Backend, isServer } from "./stores.ts";
import type { Target } from "./targets.ts";
import type { Writer } from "./writers.ts";

/** The names of the faults. */
export const FAULTS = [
  "none",
  "terminate",
  "cut",
  "stall",
  "kill",
  "pause",
  "flush",
  "reject",
  "limit",
  "lock",
  "full",
  "kill-writer",
  "pause-writer",
] as const;

/** The name of a fault. */
export type Fault = typeof FAULTS[number];

/** What a fault strikes. */
export interface Scene {
  readonly target: Target;
  /** The processes that play the history. */
  readonly writers: readonly Writer[];
  readonly random: Random;
}

/** Strikes once, and ends when the scene is whole again. */
type Strike = (scene: Scene) => Promise<void>;

interface Kind {
  /** How often it strikes in a history at most. */
  readonly times: number;
  /** How many histories have it, compared with others (1). */
  readonly weight?: number;
  readonly strike: Strike;
}

/** The shortest and the longest time before a strike, in milliseconds. */
const INTERVAL = [5, 60] as const;

/** The shortest and the longest pause, in milliseconds: some exceed the timeout. */
const PAUSE = [50, 900] as const;

const KINDS: Readonly<Record<Exclude<Fault, "none">, Kind>> = {
  terminate: {
    times: 4,
    strike: (scene) =>
      terminate(scene.target.backend, serverOf(scene), scene.random),
  },
  cut: { times: 8, strike: cut },
  stall: { times: 1, strike: stall },
  kill: { times: 1, strike: killServer },
  pause: { times: 1, strike: pauseServer },
  flush: { times: 6, strike: (scene) => flushScripts(serverOf(scene)) },
  reject: {
    times: 2,
    strike: (scene) =>
      rejectWrites(
        scene.target.backend,
        serverOf(scene),
        scene.random,
        someTime(scene, 0.3),
      ),
  },
  limit: {
    times: 2,
    strike: (scene) =>
      limit(
        scene.target.backend,
        serverOf(scene),
        scene.random,
        someTime(scene, 0.3),
      ),
  },
  lock: {
    times: 1,
    strike: (scene) =>
      holdLock(
        scene.target.backend,
        scene.target.servers[0],
        scene.target.file,
        someTime(scene),
      ),
  },
  full: { times: 2, strike: fullDisk },
  "kill-writer": { times: 1, weight: 0.5, strike: killWriter },
  "pause-writer": { times: 1, strike: pauseWriter },
};

/**
 * Returns why a fault cannot strike a backend, or `undefined` if it can.
 */
export function impossible(fault: Fault, backend: Backend): string | undefined {
  if (fault === "none") return undefined;
  if (backend === "memory") return "a store in memory has nothing that fails";
  if (fault.endsWith("-writer")) return undefined;
  const isRedis = backend.startsWith("redis");
  if (!isServer(backend)) {
    if (fault === "full" && backend !== "pglite") {
      return Deno.uid() === 0 ? undefined : "only root may mount a small disk";
    }
    if (backend === "pglite") return "PGlite belongs to one process";
    return fault === "lock" ? undefined : "an embedded backend has no server";
  }
  if (fault === "full") return "only files are put on a small disk";
  if (fault === "flush") return isRedis ? undefined : "it has no scripts";
  if (fault === "lock" || fault === "limit") {
    return isRedis ? `Redis has no such ${fault}` : undefined;
  }
  return undefined;
}

/** Chooses the fault of a history. */
export function faultOf(
  random: Random,
  faults: readonly [Fault, ...Fault[]],
): Fault {
  const weighed = faults.map((fault) => ({
    fault,
    weight: fault === "none" ? 1 : KINDS[fault].weight ?? 1,
  }));
  let rest = random() * weighed.reduce((sum, { weight }) => sum + weight, 0);
  return weighed.find(({ weight }) => (rest -= weight) < 0)!.fault;
}

/** Strikes some times, and returns how often. */
export async function strike(fault: Fault, scene: Scene): Promise<number> {
  if (fault === "none") return 0;
  const { times, strike } = KINDS[fault];
  const count = between(scene.random, 1, times);
  for (let i = 0; i < count; i++) {
    await sleep(between(scene.random, ...INTERVAL));
    await strike(scene);
  }
  return count;
}

function serverOf({ target, random }: Scene): Server {
  return oneOf(random, target.servers as [Server, ...Server[]]);
}

function proxyOf({ target, random }: Scene): FaultProxy {
  return oneOf(random, target.proxies as [FaultProxy, ...FaultProxy[]]);
}

/** Cuts all connections, or one of them before or after its next request. */
// deno-lint-ignore require-await
async function cut(scene: Scene): Promise<void> {
  const { random } = scene;
  const proxy = proxyOf(scene);
  const next = oneOf<Cut>(random, ["none", "request", "answer", "answer"]);
  if (next === "none") {
    proxy.disconnect();
  } else {
    proxy.skip = between(random, 0, 5);
    proxy.next = next;
  }
}

/** Holds back what clients and the server send, and may then lose it. */
async function stall(scene: Scene): Promise<void> {
  const proxy = proxyOf(scene);
  proxy.silence();
  await someTime(scene);
  if (scene.random() < 0.5) proxy.disconnect();
  proxy.resume();
}

async function killServer(scene: Scene): Promise<void> {
  const { servers, poolers } = scene.target;
  const all = [...servers, ...poolers] as unknown as [Server, ...Server[]];
  const server = oneOf(scene.random, all);
  await server.kill();
  await someTime(scene, 0.3);
  await server.restart();
}

// deno-lint-ignore require-await
async function killWriter({ writers, random }: Scene): Promise<void> {
  oneOf(random, writers as [Writer, ...Writer[]]).kill();
}

async function pauseServer(scene: Scene): Promise<void> {
  const processes = await processesOf(scene.target.backend, serverOf(scene));
  signal(processes, "SIGSTOP");
  try {
    await someTime(scene);
  } finally {
    signal(processes, "SIGCONT");
  }
}

/** Stops a process, which may hold a lock. */
async function pauseWriter(scene: Scene): Promise<void> {
  const writer = oneOf(scene.random, scene.writers as [Writer, ...Writer[]]);
  writer.pause();
  await someTime(scene);
  writer.resume();
}

async function fullDisk(scene: Scene): Promise<void> {
  const file = scene.target.file!;
  await fillDisk(file, between(scene.random, 0, 100));
  await someTime(scene, 0.3);
  await emptyDisk(file);
}

function signal(processes: readonly number[], signal: Deno.Signal): void {
  for (const process of processes) {
    try {
      Deno.kill(process, signal);
    } catch (error) {
      // A connection that was closed meanwhile took its process with it.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}

/** Waits for a random time, or a part of it. */
function someTime({ random }: Scene, part = 1): Promise<void> {
  return sleep(part * between(random, ...PAUSE));
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
