/**
 * How much memory a listing takes in workerd.
 *
 * @module
 */
// @ts-types="../../tests/support/worker/miniflare.d.ts"
import { Miniflare } from "miniflare";
import { bundle } from "../../tests/support/worker/bundle.ts";
import type { Peaks } from "./layout.ts";

/** Fills and lists a store in a worker. */
export async function measureWorker(store: string): Promise<Peaks> {
  // So that a worker can collect its garbage.
  Deno.env.set("MINIFLARE_WORKERD_V8_FLAGS", "--expose-gc");
  let usage = 0;
  let peak = 0;
  let inspector: Inspector | undefined;
  const sample = async () => {
    inspector ??= await Inspector.open(await miniflare.getInspectorURL());
    usage = await inspector.heapUsage();
    peak = Math.max(peak, usage);
    return new Response();
  };
  await using miniflare = await startWorker(sample);
  const fetch = async (what: string) => {
    const url = `http://worker/${store}/${what}`;
    const response = await miniflare.dispatchFetch(url);
    if (!response.ok) throw new Error(await response.text());
  };
  await fetch("fill");
  let start = Infinity;
  // What filling took is freed step by step.
  for (let i = 0; i < 20; i++) {
    await fetch("sample");
    start = Math.min(start, usage);
  }
  peak = 0;
  await fetch("sampled-list");
  const live = peak - start;
  const process = `/proc/${workerdOf(Deno.pid)}`;
  const before = resident(process, "VmRSS");
  Deno.writeTextFileSync(`${process}/clear_refs`, "5");
  await fetch("list");
  inspector!.close();
  return { live, resident: resident(process, "VmHWM") - before };
}

async function startWorker(sample: () => Promise<Response>) {
  const miniflare = new Miniflare({
    modules: [{
      type: "ESModule",
      path: "worker.js",
      contents: await bundle("bench/list_memory/worker.ts"),
    }],
    compatibilityDate: "2026-07-30",
    compatibilityFlags: [],
    kvNamespaces: ["KV"],
    durableObjects: {
      OBJECTS: { className: "KvStoreDurableObject", useSQLite: true },
    },
    serviceBindings: { SAMPLE: sample },
    inspectorPort: 0,
  });
  await miniflare.ready;
  return Object.assign(miniflare, {
    [Symbol.asyncDispose]: () => miniflare.dispose(),
  });
}

/** The connection to the inspector of a worker. */
class Inspector {
  readonly #socket: WebSocket;
  readonly #answers = new Map<
    number,
    (usage: Record<string, number>) => void
  >();
  #id = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.onmessage = ({ data }) => {
      const { id, result } = JSON.parse(data);
      this.#answers.get(id)?.(result);
    };
  }

  static async open(url: URL): Promise<Inspector> {
    const list = await fetch(`http://${url.host}/json`);
    const workers: { id: string; webSocketDebuggerUrl: string }[] = await list
      .json();
    const { webSocketDebuggerUrl } = workers.find(({ id }) =>
      id.startsWith("core:user")
    )!;
    const socket = new WebSocket(webSocketDebuggerUrl);
    await new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onerror = reject;
    });
    return new Inspector(socket);
  }

  /** The bytes of the heap and of what it refers to. */
  async heapUsage(): Promise<number> {
    const id = ++this.#id;
    const answer = new Promise<Record<string, number>>((resolve) =>
      this.#answers.set(id, resolve)
    );
    this.#socket.send(JSON.stringify({ id, method: "Runtime.getHeapUsage" }));
    const { usedSize, embedderHeapUsedSize, backingStorageSize } = await answer;
    this.#answers.delete(id);
    return usedSize! + embedderHeapUsedSize! + backingStorageSize!;
  }

  close(): void {
    this.#socket.close();
  }
}

/** The process of workerd that a process started. */
function workerdOf(parent: number): string {
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    let stat: string;
    try {
      stat = Deno.readTextFileSync(`/proc/${name}/stat`);
    } catch {
      continue; // it ended
    }
    if (
      stat.includes(`(workerd) `) &&
      stat.split(") ")[1]!.split(" ")[1] === `${parent}`
    ) {
      return name;
    }
  }
  throw new Error("Cannot measure: workerd does not run");
}

function resident(process: string, field: string): number {
  const status = Deno.readTextFileSync(`${process}/status`);
  return Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)![1]) * 1_024;
}
