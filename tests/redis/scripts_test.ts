// The scripts that run in Redis.
import { assertEquals } from "@std/assert";
import { createHash } from "node:crypto";
import * as scripts from "../../kv/redis/scripts.ts";

Deno.test("each script has its own digest", () => {
  for (const [name, { source, sha1 }] of Object.entries(scripts)) {
    const digest = createHash("sha1").update(source).digest("hex");
    assertEquals(sha1, digest, `the digest of ${name}`);
  }
});
