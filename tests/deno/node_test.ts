// The Deno KV store on `@deno/kv` in Node, which npm provides.
import { assert, assertEquals } from "@std/assert";
import { DenoKvStore } from "../../kv/deno.ts";
import { cases } from "../../testing/mod.ts";
import { KvConnectServer } from "./kv_connect.ts";
import { locations } from "./node/proofs.ts";
import { NodeProgram } from "./node/runtime.ts";

Deno.test("DenoKvStore on @deno/kv in Node", async (t) => {
  let node: NodeProgram;
  try {
    node = await NodeProgram.install();
  } catch (error) {
    if (Deno.env.get("CI") === "true") throw error;
    const reason = (error as Error).message;
    await t.step({
      name: `no Node from npm: ${reason}`,
      ignore: true,
      fn() {},
    });
    return;
  }
  await using _ = node;

  async function prove(location: string, parent: string) {
    const output = await node.run("prove", parent, location);
    const results = output.trim().split("\n").map((line) => JSON.parse(line));
    assertEquals(results.filter(({ error }) => error !== undefined), []);
    assert(results.length >= cases.length, `${results.length} proofs`);
    assert(results.every(({ name }) => name.startsWith(location)));
  }

  await t.step("the contract holds everywhere", async () => {
    await using server = new KvConnectServer();
    Deno.env.set("DENO_KV_ACCESS_TOKEN", server.token);
    await Promise.all(
      Object.keys(locations).map((location) =>
        prove(location, location === "on a server" ? server.url : node.folder)
      ),
    );
  });

  await t.step("three processes lose no increment on one file", async () => {
    const path = `${node.folder}/counter.db`;
    await Promise.all(
      Array.from({ length: 3 }, () => node.run("count", path, "100")),
    );
    using db = await Deno.openKv(path);
    assertEquals(await new DenoKvStore(db).get(["counter"]), 300);
  });
});
