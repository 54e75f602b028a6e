// The scripts that run in Redis.
import { assert, assertEquals, assertFalse } from "@std/assert";
import { createHash } from "node:crypto";
import { isNoScript } from "../../kv/redis/errors.ts";
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

Deno.test("a script that the server does not know is noticed, however a client names its errors", () => {
  const error = new Error("NOSCRIPT No matching script. Please use EVAL.");
  for (const name of ["ReplyError", "Error", "RedisError"]) {
    assert(isNoScript(Object.assign(error, { name })));
  }
  assertFalse(isNoScript(new Error("ERR unknown command")));
});
