// Two Fedify servers federate on every store, and the demo runs as documented.
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import config from "../../deno.json" with { type: "json" };
import { type KvKey, MemoryKvStore } from "@org/kv";
import {
  assertEquals,
  assertInstanceOf,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { runDemo } from "../../examples/federation/demo.ts";
import type { OpenStore } from "../../examples/federation/stores.ts";
import { UnexpectedError } from "../../examples/federation/steps.ts";
import { unstartable } from "../../servers/mod.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

const STORES = {
  "Deno KV on a file": [],
  "memory": ["--store", "memory"],
  "SQLite on a file": ["--store", "sqlite"],
  "a new Redis": ["--store", "redis"],
  "a new PostgreSQL": ["--store", "postgres"],
  "a new MariaDB": ["--store", "mysql"],
};

const missing = {
  "a new Redis": await unstartable("redis"),
  "a new PostgreSQL": await unstartable("postgres"),
  "a new MariaDB": await unstartable("mariadb"),
};

for (const [title, args] of Object.entries(STORES)) {
  const reason = missing[title as keyof typeof missing];
  const name = `the demo runs on ${title}`;
  const ignore = reason !== undefined;
  Deno.test(ignore ? `${name} (${reason})` : name, { ignore }, async () => {
    await using demo = await startDemo(args);
    const { code, stdout, stderr } = await demo.end();

    assertEquals(stderr, "");
    assertEquals(code, 0);
    assertStringIncludes(stdout, title);
    assertMatch(stdout, /The same signed note arrives again.*\n.*handled once/);
    assertMatch(stdout, /with another text.*\n.*not handled.* 401/);
    assertMatch(stdout, /Both servers stop \(.*\n.*: 1 for WebFinger, [1-9]/);
    assertMatch(
      stdout,
      /Both servers stop again.*\n.*: 0 for WebFinger, 0 for actors and keys, 0 others; [1-9]/,
    );
    assertMatch(stdout, /alice's store[^]*publicKey +│ +1 [^]*bob's store/);
    assertEquals(await demo.filesLeft(), []);
  });
}

for (const args of [["--store", "foo"], ["--store"], ["--stroe"], ["deno"]]) {
  Deno.test(`the demo refuses "${args.join(" ")}"`, async () => {
    await using demo = await startDemo(args);
    const { code, stdout, stderr } = await demo.end();

    assertEquals(code, 2);
    assertEquals(stdout, "");
    assertStringIncludes(stderr, "Usage: ");
  });
}

Deno.test("the demo tells its usage", async () => {
  await using demo = await startDemo(["--help"]);
  const { code, stdout } = await demo.end();

  assertEquals(code, 0);
  assertMatch(stdout, /^Usage: .*--store deno\|memory\|sqlite/);
});

Deno.test({
  name: "the demo leaves no file when interrupted",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using demo = await startDemo([]);
    await demo.started();
    assertEquals((await demo.filesLeft()).length, 1);
    demo.interrupt();
    const { code, stderr } = await demo.end();

    assertEquals(code, 130);
    assertEquals(stderr, "Interrupted by SIGINT\n");
    assertEquals(await demo.filesLeft(), []);
  },
});

Deno.test("the demo says what went wrong", async () => {
  await using demo = await startDemo([], ["--deny-net"]);
  const { code, stderr } = await demo.end();

  assertEquals(code, 1);
  assertMatch(stderr, /^Step 1 failed: .*\nNotCapable: Requires net access/);
  assertEquals(await demo.filesLeft(), []);
});

class UnmindfulKvStore extends MemoryKvStore {
  override get<T = unknown>(key: KvKey): Promise<T | undefined> {
    if (key[1] === "activityIdempotence") return Promise.resolve(undefined);
    return super.get<T>(key);
  }
}

class IdentityCasKvStore extends MemoryKvStore {
  override async cas(
    ...[key, expectedValue, newValue, options]: Parameters<MemoryKvStore["cas"]>
  ): Promise<boolean> {
    if (await this.get(key) !== expectedValue) return false;
    await this.set(key, newValue, options);
    return true;
  }
}

const FAILURES: {
  fault: string;
  openStore: OpenStore;
  step: string;
  reason: string;
}[] = [
  {
    fault: "forgets what was handled",
    openStore: keepStores(UnmindfulKvStore),
    step: "The same signed note arrives again",
    reason: "Notes handled: expected 1, got 2",
  },
  {
    fault: "forgets all between two openings",
    openStore: () => ({ kv: new MemoryKvStore(), close() {} }),
    step: "Alice starts again",
    reason: "New key pairs for Alice: expected false, got true",
  },
  {
    fault: "swaps no objects",
    openStore: keepStores(IdentityCasKvStore),
    step: "Alice's store is opened once more",
    reason: "Failures: expected [], got [",
  },
];

for (const { fault, openStore, step, reason } of FAILURES) {
  Deno.test({
    name: `the demo fails on a store that ${fault}`,
    // Fedify leaves the answers to its deliveries unread.
    sanitizeResources: false,
    async fn() {
      const { signal } = new AbortController();
      const error = await assertRejects(
        () => runDemo({ openStore, print() {}, signal }),
        UnexpectedError,
        step,
      );
      assertInstanceOf(error.cause, UnexpectedError);
      assertStringIncludes(error.cause.message, reason);
    },
  });
}

function keepStores(Store: new () => MemoryKvStore): OpenStore {
  const stores = new Map<string, MemoryKvStore>();
  return (name) => {
    const kv = stores.get(name) ?? new Store();
    stores.set(name, kv);
    return { kv, close() {} };
  };
}

/** Starts the demo in an empty folder, with the permissions of its task. */
async function startDemo(args: string[], flags: string[] = []) {
  const folder = await Deno.makeTempDir();
  const isServer = ["redis", "postgres", "mysql"].some((store) =>
    args.includes(store)
  );
  const task = config.tasks[isServer ? "demo:servers" : "demo"];
  const [, run, ...parts] = task.command.split(" ");
  const program = join(ROOT, parts.pop()!);
  const child = new Deno.Command(Deno.execPath(), {
    args: [run!, "--no-prompt", ...parts, ...flags, program, ...args],
    cwd: folder,
    env: { TMPDIR: folder, TMP: folder, TEMP: folder, NO_COLOR: "1" },
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const [start, stdout] = child.stdout.tee();

  return {
    async started(): Promise<void> {
      await start.getReader().read();
    },
    interrupt(): void {
      child.kill("SIGINT");
    },
    async end() {
      const [{ code }, ...texts] = await Promise.all([
        child.status,
        new Response(stdout).text(),
        new Response(child.stderr).text(),
      ]);
      return { code, stdout: texts[0], stderr: texts[1] };
    },
    async filesLeft(): Promise<string[]> {
      const entries = await Array.fromAsync(Deno.readDir(folder));
      return entries.map(({ name }) => name);
    },
    async [Symbol.asyncDispose](): Promise<void> {
      await child.status;
      await Deno.remove(folder, { recursive: true });
    },
  };
}
