/** What the commands print, change and return. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { openKv } from "../../open/mod.ts";
import { helpOfCommands, withHelp } from "../../tools/cli_reference.ts";
import { kv, withDatabase } from "./run.ts";

Deno.test("kv set and kv get round-trip a value", async () => {
  await withDatabase(async (url) => {
    assertEquals((await kv(url, ["set", "a", "b", '{"n":1}'])).code, 0);
    assertEquals(await kv(url, ["get", "a", "b"]), {
      code: 0,
      out: "{ n: 1 }\n",
      err: "",
    });
    await kv(url, ["set", '["a b"]', "--text", "-", "--ttl", "1h"], "hello");
    assertEquals(
      (await kv(url, ["get", '["a b"]', "--json"])).out,
      '{"key":["a b"],"value":"hello"}\n',
    );
  });
});

Deno.test("kv get of a missing key exits with 3", async () => {
  await withDatabase(async (url) => {
    await kv(url, ["set", "a", "1"]);
    assertEquals(await kv(url, ["get", "nothing"]), {
      code: 3,
      out: "",
      err: "error: there is no entry nothing\n",
    });
  });
});

Deno.test("wrong usage exits with 2 and says what is wrong", async () => {
  await withDatabase(async (url) => {
    for (
      const [args, message] of [
        [["bogus"], /unknown command 'bogus'/],
        [["ls", "--bogus"], /unknown option '--bogus'/],
        [["ls", "--limit", "0"], /whole number, 1 or more/],
        [["ls", "--all", "-n", "5"], /cannot be used with option/],
        [["set", "a", "{"], /not JSON/],
        [["get", "[1]"], /not an array of strings/],
        [["set", "a", "1", "--ttl", "soon"], /30s, 5m/],
      ] as const
    ) {
      const { code, err } = await kv(url, [...args]);
      assertEquals(code, 2, args.join(" "));
      assertMatch(err, message);
    }
  });
  const { code, err } = await kv(undefined, ["ls"]);
  assertEquals(code, 2);
  assertMatch(err, /use --store URL, or set KV_URL/);
});

Deno.test("a store that cannot be opened exits with 1, and no password is printed", async () => {
  for (
    const [url, exit] of [
      ["bogus:x", 2],
      ["sqlite:", 2],
      ["sqlite:/nonexistent/kv.db", 1],
      ["postgres://me:topsecret@127.0.0.1:1/db", 1],
    ] as const
  ) {
    const { code, err, out } = await kv(url, ["ls"]);
    assertEquals(code, exit, url);
    assertMatch(err, /^error: (Cannot|there is no file) /);
    assert(!`${out}${err}`.includes("topsecret"));
  }
});

Deno.test("kv ls lists a prefix, stops at the limit and continues after a key", async () => {
  await withDatabase(async (url) => {
    for (const part of "abc") await kv(url, ["set", "users", part, "1"]);
    await kv(url, ["set", "z", "1"]);
    const first = await kv(url, ["ls", "users", "--keys", "--limit", "2"]);
    assertEquals(first.out, "users a  never\nusers b  never\n");
    assertMatch(first.err, /--after '\["users","b"\]'/);
    const rest = await kv(url, ["ls", "users", "--after", '["users","b"]']);
    assertEquals(rest.out, "users c  never  1\n");
    const reverse = await kv(url, ["ls", "--reverse", "--json", "--keys"]);
    assertEquals(reverse.out.split("\n")[0], '{"key":["z"]}');
    assertEquals((await kv(url, ["count", "users"])).out, "3\n");
  });
});

Deno.test("kv rm deletes nothing without --yes", async () => {
  await withDatabase(async (url) => {
    for (const part of "abc") await kv(url, ["set", "users", part, "1"]);
    assertEquals((await kv(url, ["rm", "users", "a"])).code, 1);
    assertEquals((await kv(url, ["rm", "--prefix", "users"])).code, 1);
    assertEquals((await kv(url, ["count"])).out, "3\n");
    const dry = await kv(url, ["rm", "--prefix", "users", "--dry-run"]);
    assertEquals(dry.out, "Would delete 3 entries.\n");
    assertEquals((await kv(url, ["rm", "users", "a", "--yes"])).code, 0);
    assertEquals(
      (await kv(url, ["rm", "--prefix", "users", "--yes"])).out,
      "Deleted 2 entries.\n",
    );
    assertEquals((await kv(url, ["count"])).out, "0\n");
  });
});

Deno.test("kv export and kv import keep every type and expiry", async () => {
  await withDatabase(async (url, folder) => {
    const values = [
      null,
      "x",
      -1.5,
      [undefined],
      NaN,
      10n ** 30n,
      new Date(5),
      new Map([[{ a: 1 }, new Set([1n])]]),
      new Uint8Array([1, 2]),
      "\ud800",
    ];
    const expires = Date.now() + 3_600_000;
    {
      await using store = await openKv(url);
      for (const [i, value] of values.entries()) {
        await store.set(["v", `${i}`], value);
      }
      await store.set(["ttl"], 1, { ttl: expires - Date.now() });
    }
    const file = `${folder}/export.jsonl`;
    assertEquals((await kv(url, ["export", "--output", file])).code, 0);
    const other = `sqlite:${folder}/other.db`;
    const imported = await kv(other, ["import", file]);
    assertEquals(imported.out, "Wrote 11 entries; 0 had expired.\n");
    await using store = await openKv(other);
    for (const [i, value] of values.entries()) {
      assertEquals(await store.get(["v", `${i}`]), value);
    }
    const [entry] = await Array.fromAsync(store.keys(["ttl"]));
    assert(Math.abs(entry!.expires! - expires) <= 50);
  });
});

Deno.test("kv import reports the line that is wrong", async () => {
  await withDatabase(async (url) => {
    const { code, err } = await kv(
      url,
      ["import"],
      '{"key":["a"],"value":1}\n{',
    );
    const before = (entries: string) => `Wrote ${entries} before it failed.\n`;
    assertEquals(
      [code, err],
      [1, `${before("1 entry")}error: line 2 is not JSON\n`],
    );
    assertEquals((await kv(url, ["count"])).out, "1\n");
    const odd = await kv(url, ["import"], "null");
    assertEquals(
      odd.err,
      `${before("0 entries")}error: line 1 is not an object\n`,
    );
    const missing = await kv(url, ["import"], '{"key":["a"]}');
    assertEquals(
      missing.err,
      `${before("0 entries")}error: line 1: there is no value\n`,
    );
  });
});

/** The expiry of the entry under `a 1`. */
async function expiresOf(url: string): Promise<number> {
  const { out } = await kv(url, ["export", "a"]);
  return JSON.parse(out).expires;
}

Deno.test("kv copy copies a prefix with expiries, and verifies it", async () => {
  await withDatabase(async (url, folder) => {
    await kv(url, ["set", "a", "1", "1", "--ttl", "1h"]);
    await kv(url, ["set", "b", "1"]);
    const other = `sqlite:${folder}/other.db`;
    const dry = await kv(url, ["copy", other, "--dry-run", "--json"]);
    assertEquals(JSON.parse(dry.out).written, 2);
    assertEquals((await kv(other, ["count"])).out, "0\n");
    const { out, code } = await kv(url, ["copy", other, "a", "--verify"]);
    assertMatch(out, /1 +1 +0 +0 +0 +total\n$/);
    assertEquals(code, 0);
    assertEquals((await kv(other, ["ls", "--keys"])).out, "a 1  in 60 min\n");
    const [from, to] = [url, other].map((url) => expiresOf(url));
    assertEquals(await from, await to);
    const again = await kv(url, ["copy", other, "--exclude", "b", "--json"]);
    const { written, kept } = JSON.parse(again.out);
    assertEquals([written, kept], [0, 1]);
    await kv(url, ["set", "a", "1", "2"]);
    const failed = await kv(url, ["copy", other]);
    assertEquals(failed.code, 1);
    assertMatch(failed.err, /the target has another value/);
    await kv(url, ["copy", other, "--on-conflict", "keep"]);
    assertEquals((await kv(other, ["get", "a", "1"])).out, "1\n");
    await kv(url, ["copy", other, "--on-conflict", "overwrite"]);
    assertEquals((await kv(other, ["get", "a", "1"])).out, "2\n");
  });
});

Deno.test("kv stats groups entries by the first parts", async () => {
  await withDatabase(async (url) => {
    for (let i = 0; i < 3; i++) {
      await kv(url, ["set", "f", "key", `${i}`, '"x"']);
    }
    await kv(url, ["set", "f", "doc", "1", '"y"', "--ttl", "1h"]);
    const stats = JSON.parse((await kv(url, ["stats", "--json"])).out);
    assertEquals(stats.entries, 4);
    assertEquals(stats.withoutTtl, 3);
    assertEquals(
      stats.groups.map((group: { prefix: string[]; entries: number }) => [
        group.prefix,
        group.entries,
      ]),
      [[["f", "key"], 3], [["f", "doc"], 1]],
    );
    assertMatch((await kv(url, ["stats"])).out, /^prefix +entries/);
  });
});

Deno.test("kv doctor and kv sweep leave the entries as they are", async () => {
  await withDatabase(async (url) => {
    await kv(url, ["set", "a", "1"]);
    const { code, out } = await kv(url, ["doctor"]);
    assertEquals(code, 0);
    assertMatch(out, /^ok +delete +works$/m);
    assertEquals((await kv(url, ["count"])).out, "1\n");
    assertEquals(
      (await kv(url, ["sweep"])).out,
      "Removed 0 expired entries.\n",
    );
  });
});

Deno.test("kv --version prints the version of deno.json", async () => {
  const { version } = JSON.parse(
    await Deno.readTextFile(new URL("../../deno.json", import.meta.url)),
  );
  const { code, out } = await kv(undefined, ["--version"]);
  assertEquals([code, out], [0, `${version}\n`]);
});

Deno.test("the scheme of a URL may be in upper case", async () => {
  await withDatabase(async (url) => {
    const upper = url.replace("sqlite", "SQLITE");
    assertEquals((await kv(upper, ["set", "a", "1"])).code, 0);
    assertEquals((await kv(url, ["get", "a"])).out, "1\n");
  });
});

Deno.test("kv bench measures both clients, and leaves nothing", async () => {
  await withDatabase(async (url) => {
    await kv(url, ["set", "a", "1"]);
    const { code, out, err } = await kv(url, ["bench", "--seconds", "1"]);
    assertEquals([code, err], [0, ""]);
    assertMatch(
      out,
      /^calls +at once +store +bare client +ratio\nset +1 +\d+\/s/,
    );
    assertEquals((await kv(url, ["count"])).out, "1\n");
    const db = new DatabaseSync(url.slice("sqlite:".length));
    assertEquals(
      db.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all(),
      [{ name: "kv" }],
    );
    db.close();
  });
});

Deno.test("kv completions names every command", async () => {
  const { out } = await kv(undefined, ["completions", "bash"]);
  assertMatch(out, /complete -W "ls get set rm count stats export import copy/);
  assertEquals((await kv(undefined, ["completions", "tcsh"])).code, 2);
});

Deno.test("docs/cli.md holds the help of every command", async () => {
  const page = await Deno.readTextFile(
    new URL("../../docs/cli.md", import.meta.url),
  );
  assert(helpOfCommands().size >= 14);
  assertEquals(withHelp(page), page, "run: deno task cli:reference");
});

Deno.test("commands that read do not create a file, and --ttl 0s deletes", async () => {
  await withDatabase(async (url, folder) => {
    const typo = await kv(`sqlite:${folder}/typo.db`, ["count"]);
    assertEquals(typo.code, 1);
    assertMatch(typo.err, /there is no file .*typo\.db/);
    assertEquals([...Deno.readDirSync(folder)], []);
    await kv(url, ["set", "a", "1"]);
    await kv(url, ["set", "a", "2", "--ttl", "0s"]);
    assertEquals((await kv(url, ["get", "a"])).code, 3);
  });
});

Deno.test("a file that cannot be read or written is one line, not a stack trace", async () => {
  await withDatabase(async (url) => {
    await kv(url, ["set", "a", "1"]);
    for (
      const args of [["import", "/nonexistent/x"], [
        "export",
        "-o",
        "/nonexistent/x",
      ]]
    ) {
      const { code, err } = await kv(url, args);
      assertEquals(code, 1);
      assertMatch(err, /^error: .*ENOENT.*\n$/);
    }
  });
});
