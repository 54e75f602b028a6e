// The conformance suite under the test runners of Node.
import { assertEquals, assertStringIncludes } from "@std/assert";
import { fileURLToPath } from "node:url";
import { run } from "../../servers/run.ts";
import { cases } from "../../testing/mod.ts";
import { installPackages } from "../support/packages.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const os = Deno.build.os;
const cpu = Deno.build.arch === "x86_64" ? "x64" : "arm64";
const node = `node-${os}-${cpu}`;

const passed = cases.length;

const runners = {
  "Jest 30": {
    lock: "jest",
    packages: { jest: "30.5.2" },
    // Jest has its globals in a separate realm, and takes CommonJS.
    format: "cjs",
    file: "jest_conformance.test.js",
    command: ["node_modules/jest/bin/jest.js", "--testTimeout=60000"],
    summary: ` ${passed} passed, ${passed} total`,
  },
  "Vitest 5": {
    lock: "vitest",
    packages: { vitest: "5.1.1" },
    format: "esm",
    file: "vitest_conformance.test.mjs",
    command: [
      "node_modules/vitest/vitest.mjs",
      "run",
      "--testTimeout=60000",
    ],
    summary: ` ${passed} passed (${passed})`,
  },
  "node:test": {
    lock: "node-test",
    packages: {},
    format: "esm",
    file: "node_conformance.test.mjs",
    command: ["--test", "node_conformance.test.mjs"],
    summary: `pass ${passed}\n`,
  },
};

for (
  const [name, { lock, packages, format, file, command, summary }] of Object
    .entries(
      runners,
    )
) {
  Deno.test(`the suite runs under ${name}`, async () => {
    const folder = await Deno.makeTempDir();
    try {
      await installPackages(folder, lock, {
        [node]: "22.23.3",
        ...packages,
      });
      const [program] = file.split(".");
      await succeed([
        Deno.execPath(),
        ...["bundle", "--quiet", "--no-lock", `--config=${root}deno.json`],
        ...[`--format=${format}`, "--external=vitest"],
        `--output=${folder}/${file}`,
        `${root}tests/support/programs/${program}.ts`,
      ]);
      const text = await succeed([
        ...["env", "NO_COLOR=1"] as const,
        `${folder}/node_modules/${node}/bin/node`,
        ...command,
      ]);
      assertStringIncludes(text, summary);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }

    async function succeed(command: [string, ...string[]]): Promise<string> {
      const { ok, stdout, stderr } = await run(command, {
        cwd: folder,
        timeout: 300_000,
      });
      assertEquals([ok, ok ? "" : `${stdout}${stderr}`], [true, ""]);
      return `${stdout}${stderr}`;
    }
  });
}
