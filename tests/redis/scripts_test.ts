// The scripts that run in Redis.
import { assertEquals } from "@std/assert";
import { createHash } from "node:crypto";
import * as indexScripts from "../../kv/redis/index_scripts.ts";
import * as scripts from "../../kv/redis/scripts.ts";

Deno.test("each script has its own digest", () => {
  const all = Object.entries({ ...scripts, ...indexScripts });
  const found = all.filter(([, each]) => typeof each === "object");
  assertEquals(found.length, 9);
  for (const [name, each] of found) {
    const { source, sha1 } = each as scripts.Script;
    const digest = createHash("sha1").update(source).digest("hex");
    assertEquals(sha1, digest, `the digest of ${name}`);
  }
});
