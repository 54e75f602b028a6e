/** Exporting from every engine and importing into every other. */

import { assertEquals } from "@std/assert";
import { Readable } from "node:stream";
import { main } from "../../cli/main.ts";
import { openKv } from "../../open/mod.ts";
import { sharedUrl, unavailable } from "../../servers/mod.ts";
import {
  bigintSamples,
  byteSamples,
  collectionSamples,
  dateSamples,
  jsonSamples,
  memberSamples,
  notFiniteSamples,
  numberSamples,
  stringSamples,
  viewSamples,
} from "../../testing/samples.ts";

/** An engine: its URL, and its options as those of the command line. */
interface Engine {
  readonly name: string;
  readonly url: string;
  readonly options: Record<string, string>;
}

const id = crypto.randomUUID().slice(0, 8);
const folder = await Deno.makeTempDir();
const engines: Engine[] = [
  { name: "SQLite", url: `sqlite:${folder}/kv.db`, options: {} },
  { name: "Deno KV", url: `deno:${folder}/kv.kv`, options: {} },
];
for (const kind of ["redis", "redis-cluster", "postgres", "mariadb"] as const) {
  if (await unavailable(kind) !== undefined) continue;
  const url = await sharedUrl(kind);
  const options: Record<string, string> = kind.startsWith("redis")
    ? { keyPrefix: `pairs${id}` }
    : { tableName: `pairs_${id}` };
  engines.push({
    name: kind,
    url: kind === "redis-cluster" ? clusterUrl(url) : url,
    options,
  });
}

function clusterUrl(urls: string): string {
  const nodes = urls.split(",").map((url) => new URL(url));
  const { username, password } = nodes[0]!;
  return `redis+cluster://${username}:${password}@${
    nodes.map(({ host }) => host).join()
  }`;
}

const samples = [
  ...[...jsonSamples, ...stringSamples, ...memberSamples, ...numberSamples],
  ...[...notFiniteSamples, ...bigintSamples, ...dateSamples],
  ...[...collectionSamples, ...byteSamples(), ...viewSamples()],
  { value: null, expected: null },
  { value: "x".repeat(100_000), expected: undefined },
];

async function run({ url, options }: Engine, command: string, input = "") {
  let out = "";
  let err = "";
  const args = Object.entries(options).flatMap(([name, value]) =>
    name === "tableName" ? ["--table", value] : ["--key-prefix", value]
  );
  const code = await main([...args, command], {
    // In pieces, whose ends fall into lines and characters.
    stdin: Readable.from(piecesOf(new TextEncoder().encode(input))),
    write: (text) => out += text,
    writeError: (text) => err += text,
    isTerminal: false,
    env: { KV_URL: url },
  });
  assertEquals([code, err], [0, ""]);
  return out;
}

function* piecesOf(bytes: Uint8Array): Generator<Uint8Array> {
  for (let i = 0; i < bytes.length; i += 1_021) {
    yield bytes.subarray(i, i + 1_021);
  }
}

async function clear({ url, options }: Engine): Promise<void> {
  await using kv = await openKv(url, options);
  await kv.clear();
}

Deno.test("export then import gives an equal store, for every pair of engines", async () => {
  const soon = Date.now() + 3_600_000;
  let original: string | undefined;
  try {
    for (const from of engines) {
      {
        await using kv = await openKv(from.url, from.options);
        await Promise.all(samples.map(({ value }, i) =>
          kv.set(
            ["sample", `${i}`.padStart(3, "0"), "\u2028:!\0"],
            value,
            i % 2 === 0 ? {} : { expires: soon + i },
          )
        ));
      }
      const text = await run(from, "export");
      original ??= text;
      assertEquals(text, original, from.name);
      assertEquals(text.split("\n").length, samples.length + 1);
      for (const to of engines) {
        await clear(to);
        await run(to, "import", text);
        assertEquals(
          await run(to, "export"),
          text,
          `${from.name} to ${to.name}`,
        );
      }
    }
  } finally {
    for (const engine of engines) await clear(engine);
    await Deno.remove(folder, { recursive: true });
  }
});
