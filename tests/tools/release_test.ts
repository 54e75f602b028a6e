// `deno task release` in a small repository with the same files.
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";

const TOOL = new URL("../../tools/release.ts", import.meta.url);
const CONFIG = new URL("../../deno.json", import.meta.url);
const CHANGES = "# Changes\n\n## Unreleased\n\n### Fixed\n\n- A fault\n";

interface Repository extends AsyncDisposable {
  git(...args: string[]): Promise<string>;
  read(name: string): Promise<string>;
  write(name: string, text: string): Promise<void>;
  release(...args: string[]): Promise<{ code: number; text: string }>;
}

async function repository(check: string): Promise<Repository> {
  const folder = await Deno.makeTempDir({ prefix: "kv-release-" });
  const run = async (program: string, args: string[]) => {
    const { code, stdout, stderr } = await new Deno.Command(program, {
      args,
      cwd: folder,
      env: { GIT_CONFIG_GLOBAL: "/dev/null", NO_COLOR: "1" },
    }).output();
    const decoder = new TextDecoder();
    return { code, text: decoder.decode(stdout) + decoder.decode(stderr) };
  };
  const result: Repository = {
    async git(...args) {
      const { code, text } = await run("git", args);
      assertEquals(code, 0, text);
      return text.trim();
    },
    read: (name) => Deno.readTextFile(`${folder}/${name}`),
    write: (name, text) => Deno.writeTextFile(`${folder}/${name}`, text),
    release: (...args) =>
      run(Deno.execPath(), [
        "run",
        "--allow-all",
        "--quiet",
        `--config=${CONFIG.pathname}`,
        TOOL.href,
        ...args,
      ]),
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
  await result.write(
    "deno.json",
    JSON.stringify(
      { version: "0.1.0", tasks: { "release:check": check } },
      null,
      2,
    ),
  );
  await result.write("CHANGELOG.md", CHANGES);
  await Deno.mkdir(`${folder}/cli`);
  await result.write("cli/version.ts", 'export const VERSION = "0.1.0";\n');
  await result.git("init", "--quiet", "--initial-branch=main");
  await result.git("config", "user.name", "Tester");
  await result.git("config", "user.email", "tester@example.com");
  await result.git("add", ".");
  await result.git("commit", "--quiet", "--message", "Start");
  return result;
}

Deno.test("release writes the version and the date, commits and tags", async () => {
  await using repo = await repository("echo checked");
  const { code, text } = await repo.release("minor");
  assertEquals(code, 0, text);
  assertStringIncludes(text, "git push --atomic origin main v0.2.0");
  assertEquals(JSON.parse(await repo.read("deno.json")).version, "0.2.0");
  assertEquals(
    await repo.read("cli/version.ts"),
    'export const VERSION = "0.2.0";\n',
  );
  assertMatch(
    await repo.read("CHANGELOG.md"),
    /## Unreleased\n\n## 0\.2\.0 \(\d{4}-\d\d-\d\d\)\n\n### Fixed/,
  );
  assertEquals(await repo.git("status", "--porcelain"), "");
  assertEquals(await repo.git("tag", "--points-at", "HEAD"), "v0.2.0");
  assertEquals(await repo.git("log", "-1", "--format=%s"), "Release 0.2.0");

  const again = await repo.release("patch");
  assertEquals(again.code, 1);
  assertStringIncludes(again.text, 'lists nothing under "Unreleased"');
});

Deno.test("the first release keeps the version of the files", async () => {
  await using repo = await repository("echo checked");
  const { code, text } = await repo.release("0.1.0");
  assertEquals(code, 0, text);
  assertEquals(await repo.git("tag"), "v0.1.0");
});

Deno.test("release changes nothing if a check fails, and with --dry-run", async () => {
  for (
    const [check, args] of [["exit 3", []], ["exit 0", ["--dry-run"]]] as const
  ) {
    await using repo = await repository(check);
    const { code, text } = await repo.release("minor", ...args);
    assertEquals(code, check === "exit 0" ? 0 : 1, text);
    assertEquals(await repo.git("status", "--porcelain"), "");
    assertEquals(await repo.git("tag"), "");
    assertEquals(await repo.read("CHANGELOG.md"), CHANGES);
  }
});

Deno.test("release says why it does not start", async () => {
  await using repo = await repository("exit 0");
  const reasons: [string, string][] = [
    ["0.0.9", "0.0.9 is lower than 0.1.0"],
    ["huge", "must be major, minor, patch or like 1.2.3: received huge"],
  ];
  for (const [version, reason] of reasons) {
    const { code, text } = await repo.release(version);
    assertEquals(code, 1);
    assertStringIncludes(text, reason);
  }
  await repo.write("new.txt", "");
  assertStringIncludes(
    (await repo.release("minor")).text,
    "Commit or stash these changes first:\n?? new.txt",
  );
  await repo.git("switch", "--quiet", "--create", "topic");
  assertStringIncludes(
    (await repo.release("minor")).text,
    "Releases are made from main: this is topic",
  );
});
