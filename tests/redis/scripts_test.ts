// The scripts that run in Redis.
import { assertEquals } from "@std/assert";
import { createHash } from "node:crypto";
import * as indexScripts from "../../kv/redis/index_scripts.ts";
import * as scripts from "../../kv/redis/scripts.ts";

Deno.test("each script has its own digest", () => {
  const { INDEX: _, COMPLETE: __, ...others } = indexScripts;
  const all = Object.entries({ ...scripts, ...others });
  for (const [name, { source, sha1 }] of all) {
    const digest = createHash("sha1").update(source).digest("hex");
    assertEquals(sha1, digest, `the digest of ${name}`);
  }
});
