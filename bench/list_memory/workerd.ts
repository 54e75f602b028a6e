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
  await using miniflare = await startWorker();
  const fetch = async (what: string) => {
    const url = `http://worker/${store}/${what}`;
    const response = await miniflare.dispatchFetch(url);
    if (!response.ok) throw new Error(await response.text());
  };
  await fetch("fill");
  using inspector = await Inspector.open(await miniflare.getInspectorURL());
  const start = await inspector.live();
  let live = 0;
  await during(fetch("list"), async () => {
    live = Math.max(live, await inspector.live() - start);
  });
  await inspector.live();
  const process = `/proc/${workerdOf(Deno.pid)}`;
  const before = resident(process, "VmRSS");
  Deno.writeTextFileSync(`${process}/clear_refs`, "5");
  await fetch("list");
  return { live, resident: resident(process, "VmHWM") - before };
}

async function startWorker() {
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
    inspectorPort: 0,
  });
  await miniflare.ready;
  return Object.assign(miniflare, {
    [Symbol.asyncDispose]: () => miniflare.dispose(),
  });
}

/** Repeats an action until a promise is settled. */
async function during(
  promise: Promise<void>,
  action: () => Promise<void>,
): Promise<void> {
  let isSettled = false;
  const settled = promise.finally(() => isSettled = true);
  while (!isSettled) await action();
  await settled;
}

/** The connection to the inspector of a worker. */
class Inspector implements Disposable {
  readonly #socket: WebSocket;
  #id = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
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

  /** Collects garbage; returns the bytes that are left. */
  async live(): Promise<number> {
    await this.#call("HeapProfiler.collectGarbage");
    const { usedSize, embedderHeapUsedSize = 0, backingStorageSize = 0 } =
      await this.#call("Runtime.getHeapUsage");
    return usedSize! + embedderHeapUsedSize + backingStorageSize;
  }

  #call(method: string): Promise<Record<string, number>> {
    const id = ++this.#id;
    return new Promise((resolve, reject) => {
      this.#socket.onmessage = ({ data }) => {
        const message = JSON.parse(data);
        if (message.id !== id) return;
        if (message.error) reject(new Error(message.error.message));
        else resolve(message.result);
      };
      this.#socket.onclose = () => reject(new Error("the inspector is gone"));
      this.#socket.send(JSON.stringify({ id, method }));
    });
  }

  [Symbol.dispose](): void {
    this.#socket.onclose = null;
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
