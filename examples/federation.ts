/**
 * Two Fedify servers federate with each other over HTTP on this machine, each
 * on its own store.
 *
 * ```sh
 * deno task demo --store sqlite
 * deno task demo:servers --store redis
 * ```
 *
 * @module
 */
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { configure, getTextFormatter } from "@logtape/logtape";
import { runDemo } from "./federation/demo.ts";
import { UnexpectedError } from "./federation/steps.ts";
import { STORE_KINDS, type StoreKind } from "./federation/stores.ts";

const USAGE = `Usage: deno task demo [--store deno|memory|sqlite] [--help]
       deno task demo:servers --store redis|postgres|mysql`;

/** The folder that the task allows to read and write. */
const FOLDER = ".demo";

/** In milliseconds; the demo takes two or three seconds. */
const TIME_LIMIT = 60_000;

const FATAL_SIGNALS = { SIGINT: 130, SIGTERM: 143 } as const;

if (import.meta.main) Deno.exit(await main(Deno.args));

async function main(args: string[]): Promise<number> {
  let kind: StoreKind;
  try {
    const { values } = parseArgs({
      args,
      options: {
        store: { type: "string", default: "deno" },
        help: { type: "boolean", default: false },
      },
    });
    if (values.help) {
      console.log(USAGE);
      return 0;
    }
    kind = storeKind(values.store);
  } catch (error) {
    console.error(`${(error as Error).message}\n${USAGE}`);
    return 2;
  }
  return await demonstrate(kind);
}

function storeKind(name: string): StoreKind {
  if (Object.hasOwn(STORE_KINDS, name)) {
    return STORE_KINDS[name as keyof typeof STORE_KINDS];
  }
  throw new RangeError(`Unknown store: received ${Deno.inspect(name)}`);
}

async function demonstrate(kind: StoreKind): Promise<number> {
  const log = await collectLog();
  const interruption = new AbortController();
  let code = 1;
  for (const [signal, signalCode] of Object.entries(FATAL_SIGNALS)) {
    process.once(signal, () => {
      code = signalCode;
      interruption.abort(new UnexpectedError(`Interrupted by ${signal}`));
    });
  }

  try {
    await using folder = await makeFolder();
    await using backend = await kind.connect(folder.path);
    console.log(
      `Two Fedify servers, each with its own store: ${kind.title}\n`,
    );
    const demo = runDemo({
      openStore: backend.open,
      print: console.log,
      signal: interruption.signal,
    });
    await Promise.race([demo, expire(TIME_LIMIT)]);
    return 0;
  } catch (error) {
    if (!interruption.signal.aborted) {
      for (const line of log) console.error(line);
    }
    console.error(describeError(error));
    return code;
  }
}

/** Collects what Fedify logs, to be shown only if the demo fails. */
async function collectLog(): Promise<string[]> {
  const lines: string[] = [];
  const format = getTextFormatter();
  await configure({
    sinks: { lines: (record) => lines.push(format(record).trimEnd()) },
    loggers: [
      { category: "fedify", sinks: ["lines"], lowestLevel: "warning" },
      { category: ["logtape", "meta"], sinks: ["lines"], lowestLevel: "error" },
    ],
  });
  return lines;
}

async function makeFolder(): Promise<AsyncDisposable & { path: string }> {
  await Deno.mkdir(FOLDER, { recursive: true, mode: 0o700 });
  const path = await Deno.makeTempDir({ dir: FOLDER });
  return {
    path,
    async [Symbol.asyncDispose]() {
      await Deno.remove(path, { recursive: true });
      // Another demo may still need it.
      await Deno.remove(FOLDER).catch(() => {});
    },
  };
}

async function expire(milliseconds: number): Promise<never> {
  await delay(milliseconds);
  throw new UnexpectedError(`The demo took longer than ${milliseconds} ms`);
}

/** An error and its causes; with its stack, unless the demo made it itself. */
function describeError(error: unknown): string {
  if (!(error instanceof UnexpectedError)) return Deno.inspect(error);
  if (error.cause === undefined) return error.message;
  return `${error.message}\n${describeError(error.cause)}`;
}
