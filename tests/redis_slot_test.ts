import { assertEquals } from "@std/assert";
import { keySlot } from "../kv/redis/slot.ts";
import { clientKinds, testOnKind } from "./redis_clients.ts";

Deno.test("keySlot() is the CRC-16 of the specification", () => {
  assertEquals(keySlot("123456789"), 0x31c3);
});

for (const kind of await clientKinds()) {
  if (!kind.isCluster) continue;
  testOnKind(kind, "keySlot() agrees with the server", async (client) => {
    const names = ["", "a", "kv:users!alice", "ä€😀", "{a}b", "b{a}", "{a}{b}"];
    names.push("{}a", "a{}{b}", "{a", "a}b{c}", "{{a}}", "{ä}b", "ä{a}", "a{b");
    for (const name of names) {
      assertEquals(
        keySlot(name),
        await client.cluster("KEYSLOT", name),
        name,
      );
    }
  });
}
