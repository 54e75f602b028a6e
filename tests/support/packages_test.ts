// Tests install only packages that are in a lock file.
import { assertRejects } from "@std/assert";
import { installPackages } from "./packages.ts";

Deno.test("a package that is not in the lock file is not used", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await installPackages(folder, "node", { "node-addon-api": "8.9.2" });
    await assertRejects(
      () => installPackages(folder, "node", { "is-number": "7.0.0" }),
      Error,
      "not in node.lock: is-number@7.0.0",
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
