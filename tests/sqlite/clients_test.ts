// Every SQLite client in its runtime passes the same proofs.
import { assert, assertEquals } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { SqliteKvStore } from "../../kv/sqlite.ts";
import { runPrograms } from "../support/programs.ts";
import { likeDbSqlite } from "./clients/client.ts";
import * as dbSqlite from "@db/sqlite";
import { proofs } from "./clients/proofs.ts";
import { Runtime, type RuntimeName } from "./clients/runtime.ts";

/** How many proofs there are with each client. */
const expected = proofs(likeDbSqlite(dbSqlite), "").length;

Deno.test("SqliteKvStore with the clients of Node and Bun", async (t) => {
  await using installed = new AsyncDisposableStack();
  const node = await install("node");
  const bun = await install("bun");
  const folder = await Deno.makeTempDir({ prefix: "kv-sqlite-" });
  installed.defer(() => Deno.remove(folder, { recursive: true }));

  async function install(name: RuntimeName): Promise<Runtime | string> {
    let runtime: Runtime;
    try {
      runtime = installed.use(await Runtime.install(name));
    } catch (error) {
      if (Deno.env.get("CI") === "true") throw error;
      return `no ${name} from npm: ${(error as Error).message}`;
    }
    await runtime.bundle();
    return runtime;
  }

  async function step(
    name: string,
    runtimes: (Runtime | string)[],
    fn: (...runtimes: Runtime[]) => Promise<void>,
  ) {
    const reason = runtimes.find((runtime) => typeof runtime === "string");
    await t.step({
      name: reason === undefined ? name : `${name} (${reason})`,
      ignore: reason !== undefined,
      fn: () => fn(...runtimes as Runtime[]),
    });
  }

  for (
    const [client, runtime] of [
      ["node:sqlite", node],
      ["better-sqlite3", node],
      ["bun:sqlite", bun],
    ] as const
  ) {
    await step(`${client} keeps the contract`, [runtime], async (runtime) => {
      const output = await runtime.program(client, "prove", folder);
      const results = output.trim().split("\n").map((line) => JSON.parse(line));
      assertEquals(results.filter(({ error }) => error !== undefined), []);
      assertEquals(results.length, expected);
      assert(results.every(({ name }) => name.startsWith(client)));
      assertEquals([...Deno.readDirSync(folder)], []);
    });
  }

  await step(
    "four clients in four processes lose no increment on one file",
    [node, bun],
    async (node, bun) => {
      const path = `${folder}/kv.db`;
      await Promise.all([
        runPrograms(1, "sqlite_counter.ts", [path, "150"]),
        node.program("node:sqlite", "count", path, "150"),
        node.program("better-sqlite3", "count", path, "150"),
        bun.program("bun:sqlite", "count", path, "150"),
      ]);
      using db = new DatabaseSync(path);
      assertEquals(await new SqliteKvStore(db).get(["counter"]), 600);
    },
  );
});
