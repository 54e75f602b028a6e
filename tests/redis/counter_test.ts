// Processes that count together by cas() lose no count.
import { assertEquals } from "@std/assert";
import { RedisKvStore } from "../../kv/redis.ts";
import { clientKinds, freshPrefix, testOnKind } from "./clients.ts";

const PROCESSES = 8;
const INCREMENTS = 50;

for (const kind of await clientKinds()) {
  testOnKind(
    kind,
    "eight processes count by cas(), and none is lost",
    async (client) => {
      const keyPrefix = freshPrefix();
      const kv = new RedisKvStore(client, { keyPrefix });
      const outputs = await Promise.all(
        Array.from({ length: PROCESSES }, () => count(kind.name, keyPrefix)),
      );
      for (const { success, stderr } of outputs) {
        assertEquals(new TextDecoder().decode(stderr), "");
        assertEquals(success, true);
      }
      assertEquals(await kv.get(["counter"]), PROCESSES * INCREMENTS);
      await kv.delete(["counter"]);
    },
  );
}

/** Runs a process that increments the counter. */
function count(name: string, keyPrefix: string): Promise<Deno.CommandOutput> {
  const [store, clients] = ["../../kv/redis.ts", "./clients.ts"].map((
    path,
  ) => JSON.stringify(import.meta.resolve(path)));
  const code = `
    import { RedisKvStore } from ${store};
    import { clientKinds } from ${clients};
    const kinds = await clientKinds();
    const client = kinds.find(({ name }) => name === ${JSON.stringify(name)})
      .connect();
    const kv = new RedisKvStore(client, { keyPrefix: "${keyPrefix}" });
    for (let i = 0; i < ${INCREMENTS}; i++) {
      let value;
      do value = await kv.get(["counter"]);
      while (!await kv.cas(["counter"], value, (value ?? 0) + 1));
    }
    client.disconnect();`;
  return new Deno.Command(Deno.execPath(), {
    args: ["eval", "--quiet", "--no-lock", code],
    cwd: import.meta.dirname!,
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
}
