/** The faults that strike while histories are played. */
import type { Cut } from "../testing/fault_proxy.ts";
import { holdLock, processesOf, terminate } from "./servers.ts";
import { between, oneOf, type Random } from "./random.ts";
import { type Backend, isServer } from "./stores.ts";
import type { Target } from "./targets.ts";
import type { Writer } from "./writers.ts";

/** The names of the faults. */
export const FAULTS = ["none", "terminate", "cut", "kill", "pause"] as const;

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

/** The shortest and the longest time between two strikes, in milliseconds. */
const INTERVALS: Readonly<Record<Fault, readonly [number, number]>> = {
  none: [0, 0],
  terminate: [50, 400],
  cut: [20, 150],
  kill: [300, 1_500],
  pause: [200, 800],
};

/** The shortest and the longest pause, in milliseconds: some exceed the timeout. */
const PAUSE = [100, 1_800] as const;

/**
 * Returns why a fault cannot strike a backend, or `undefined` if it can.
 */
export function impossible(fault: Fault, backend: Backend): string | undefined {
  if (fault === "none") return undefined;
  if (backend === "memory") return "a store in memory has nothing that fails";
  if (fault === "cut" && backend === "redis-cluster") {
    return "the nodes of a Cluster know each other's ports, not a proxy's";
  }
  if (!isServer(backend) && (fault === "terminate" || fault === "cut")) {
    return "an embedded backend has no connections";
  }
  return undefined;
}

/** Strikes again and again until it is stopped. */
export class FaultLoop implements AsyncDisposable {
  readonly #stop = Promise.withResolvers<void>();
  readonly #loop: Promise<void>;
  #strikes = 0;
  #isStopped = false;

  /**
   * @param fault What strikes.
   * @param scene What it strikes; `writers` may change.
   */
  constructor(fault: Fault, scene: Scene) {
    this.#loop = fault === "none" ? Promise.resolve() : this.#run(fault, scene);
  }

  /** How often it has struck. */
  get strikes(): number {
    return this.#strikes;
  }

  /** Waits until the last strike is over and the scene is whole. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopped = true;
    this.#stop.resolve();
    await this.#loop;
  }

  async #run(fault: Fault, scene: Scene): Promise<void> {
    const strike = strikeOf(fault, scene.target.backend);
    const [low, high] = INTERVALS[fault];
    while (!this.#isStopped) {
      await this.#pause(between(scene.random, low, high));
      if (this.#isStopped) return;
      await strike(scene);
      this.#strikes++;
    }
  }

  async #pause(milliseconds: number): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const over = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, milliseconds);
    });
    await Promise.race([over, this.#stop.promise]);
    clearTimeout(timer);
  }
}

function strikeOf(fault: Fault, backend: Backend): Strike {
  switch (fault) {
    case "terminate":
      return ({ target, random }) => terminate(target, random);
    case "cut":
      return cut;
    case "kill":
      return isServer(backend) ? killServer : killWriter;
    case "pause":
      return isServer(backend) ? pauseServer : pauseWriter;
    case "none":
      return () => Promise.resolve();
  }
}

/** Cuts all connections, or one of them before or after its next request. */
// deno-lint-ignore require-await
const cut: Strike = async ({ target, random }) => {
  const proxy = target.proxy!;
  const next = oneOf<Cut>(random, ["none", "request", "answer", "answer"]);
  if (next === "none") {
    proxy.disconnect();
  } else {
    proxy.skip = between(random, 0, 5);
    proxy.next = next;
  }
};

const killServer: Strike = async ({ target, random }) => {
  const server = oneOf(random, target.servers as [Target["servers"][number]]);
  await server.kill();
  await sleep(between(random, 0, 300));
  await server.restart();
};

// deno-lint-ignore require-await
const killWriter: Strike = async ({ writers, random }) => {
  const alive = writers.filter(({ wasKilled }) => !wasKilled);
  if (alive.length < 2) return;
  oneOf(random, alive as [Writer, ...Writer[]]).kill();
};

const pauseServer: Strike = async ({ target, random }) => {
  const server = oneOf(random, target.servers as [Target["servers"][number]]);
  const processes = await processesOf(target.backend, server);
  signal(processes, "SIGSTOP");
  try {
    await sleep(between(random, ...PAUSE));
  } finally {
    signal(processes, "SIGCONT");
  }
};

/** Stops a process, which may hold the lock, or holds the lock itself. */
const pauseWriter: Strike = async ({ target, writers, random }) => {
  if (random() < 0.5) {
    return await holdLock(target.file!, between(random, ...PAUSE));
  }
  const writer = oneOf(random, writers as [Writer, ...Writer[]]);
  writer.pause();
  await sleep(between(random, ...PAUSE));
  writer.resume();
};

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

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
