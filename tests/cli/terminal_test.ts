/** What the command line does on a terminal, and on Ctrl-C. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { openKv } from "../../open/mod.ts";
import { inPipe, onTerminal, Pty } from "./pty.ts";
import { withDatabase } from "./run.ts";

const hasScript = await new Deno.Command("script", { args: ["--version"] })
  .output().then(({ success }) => success, () => false);

function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, fn, ignore: !hasScript });
}

/** Writes entries, and returns when they are there. */
async function fill(url: string, entries: number): Promise<void> {
  await using kv = await openKv(url, { synchronous: "OFF" });
  const value = "x".repeat(200);
  await Promise.all(
    Array.from({ length: entries }, (_, i) => kv.set(["n", `${i}`], value)),
  );
}

test("kv rm asks on a terminal, and deletes only after a yes", async () => {
  await withDatabase(async (url) => {
    await fill(url, 2);
    for (
      const [answer, code, left] of [
        ["n\n", 1, 2],
        ["\x04", 1, 2],
        ["\x03", 130, 2],
        ["y\n", 0, 0],
      ] as const
    ) {
      await using pty = new Pty("rm", "--prefix", "n", "--store", url);
      await pty.until(/Delete 2 entries under n\? \[y\/N\] $/);
      await pty.type(answer);
      assertEquals(await pty.end(), code, pty.output);
      if (code === 0) assertMatch(pty.output, /Deleted 2 entries\.\s*$/);
      await using kv = await openKv(url);
      assertEquals(await kv.count(), left);
    }
  });
});

test("a pipe gets no progress bar, no colour and no question", async () => {
  await withDatabase(async (url, folder) => {
    await fill(url, 50);
    const copy = await inPipe("copy", "-s", url, `sqlite:${folder}/b.db`);
    assertEquals([copy.code, copy.err], [0, ""]);
    // deno-lint-ignore no-control-regex -- it must not be there
    assert(!/[\x1b\r]/.test(copy.out), copy.out);
    const rm = await inPipe("rm", "--prefix", "n", "-s", url);
    assertEquals(
      [rm.code, rm.out, rm.err],
      [1, "", "error: nothing was deleted: confirm with --yes\n"],
    );
    const ls = await onTerminal("ls", "-s", url, "--limit", "1");
    assertEquals(ls.code, 0);
    assertMatch(ls.output, /^n 0 +never +"x+…\n… more entries/);
  });
});

test("Ctrl-C ends an import that waits, and says how far it came", async () => {
  await withDatabase(async (url) => {
    await using pty = new Pty("import", "-s", url);
    for (let i = 0; i < 600; i++) {
      await pty.type(`{"key":["a","${i}"],"value":1}\n`);
    }
    await pty.until(/importing [1-9]/);
    await pty.type("\x03");
    assertEquals(await pty.end(), 130, pty.output);
    assertMatch(
      pty.output,
      /Wrote \d+ entries before it failed\.\s+Interrupted/,
    );
    await using kv = await openKv(url);
    const [, written] = /Wrote (\d+)/.exec(pty.output)!;
    assertEquals(await kv.count(), Number(written));
  });
});

test("Ctrl-C during copy and rm leaves whole entries, and the rest", async () => {
  await withDatabase(async (url, folder) => {
    const entries = 40_000;
    await fill(url, entries);
    const target = `sqlite:${folder}/b.db`;
    {
      await using pty = new Pty("copy", "-s", url, target);
      await pty.until(/copying .* [1-9]\d* *%/);
      await pty.type("\x03");
      assertEquals(await pty.end(), 130, pty.output);
      assertMatch(pty.output, /Wrote \d+ entries before it failed\.\s+Interr/);
      await using kv = await openKv(target);
      const copied = await kv.count();
      assert(0 < copied && copied < entries, `${copied}`);
    }
    {
      await using pty = new Pty("rm", "--prefix", "n", "-y", "-s", url);
      await pty.until(/deleting .* [1-9]\d* *%/);
      await pty.type("\x03");
      assertEquals(await pty.end(), 130, pty.output);
      const [, deleted] = /Deleted (\d+) entries before/.exec(pty.output)!;
      await using kv = await openKv(url);
      assertEquals(await kv.count(), entries - Number(deleted));
    }
  });
});
