/**
 * Prepares a release: checks everything, writes the version, commits and tags.
 *
 * `deno task release minor` (or `major`, `patch`, or a version). The push of
 * the tag, which publishes, is left to the person who runs this.
 */

import { parseArgs } from "node:util";
// @ts-types="@types/semver"
import semver from "semver";

const HELP = `Usage: deno task release [--dry-run] <major|minor|patch|VERSION>

Sets the version in deno.json and cli/version.ts, dates the section "Unreleased" in CHANGELOG.md,
runs \`deno task release:check\`, commits, and adds the tag. If a step fails, the
files are as before.

  -n, --dry-run  Restore the files at the end; commit and tag nothing
  -h, --help     Show this help`;

/** What a person can fix: printed without a stack. */
class ReleaseError extends Error {}

async function output(program: string, ...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, {
    args,
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  if (!success) {
    throw new ReleaseError(
      `${program} ${args.join(" ")} failed: ${decoder.decode(stderr).trim()}`,
    );
  }
  return decoder.decode(stdout).trim();
}

/** Fails unless this is a clean `main`. */
async function checkTree(): Promise<void> {
  const branch = await output("git", "branch", "--show-current");
  if (branch !== "main") {
    throw new ReleaseError(`Releases are made from main: this is ${branch}`);
  }
  const changes = await output("git", "status", "--porcelain");
  if (changes !== "") {
    throw new ReleaseError(`Commit or stash these changes first:\n${changes}`);
  }
}

/** The version to release. */
async function nextVersion(current: string, wanted: string): Promise<string> {
  const isStep = wanted === "major" || wanted === "minor" || wanted === "patch";
  const version = isStep ? semver.inc(current, wanted) : semver.valid(wanted);
  if (version === null) {
    throw new ReleaseError(
      `The version must be major, minor, patch or like 1.2.3: received ${wanted}`,
    );
  }
  if (await output("git", "tag", "--list", `v${version}`) !== "") {
    throw new ReleaseError(`${version} is released already`);
  }
  // The first release has the version that the files have from the start.
  if (semver.lt(version, current)) {
    throw new ReleaseError(`${version} is lower than ${current}`);
  }
  return version;
}

/** Dates the section of unreleased changes, and begins a new one. */
function datedChanges(changes: string, version: string): string {
  const heading = /^## Unreleased\n+(?!## |$)/m;
  if (!heading.test(changes)) {
    throw new ReleaseError('CHANGELOG.md lists nothing under "Unreleased"');
  }
  const date = new Date().toISOString().slice(0, 10);
  return changes.replace(
    heading,
    `## Unreleased\n\n## ${version} (${date})\n\n`,
  );
}

async function release(wanted: string, dryRun: boolean): Promise<void> {
  await checkTree();
  const config = await Deno.readTextFile("deno.json");
  const current = JSON.parse(config).version as string;
  const version = await nextVersion(current, wanted);
  const changes = await Deno.readTextFile("CHANGELOG.md");
  const dated = datedChanges(changes, version);
  const ofCommand = await Deno.readTextFile("cli/version.ts");
  const restore = async () => {
    await Deno.writeTextFile("deno.json", config);
    await Deno.writeTextFile("cli/version.ts", ofCommand);
    await Deno.writeTextFile("CHANGELOG.md", changes);
  };
  try {
    await Deno.writeTextFile(
      "deno.json",
      config.replace(`"version": "${current}"`, `"version": "${version}"`),
    );
    await Deno.writeTextFile(
      "cli/version.ts",
      ofCommand.replace(`"${current}"`, `"${version}"`),
    );
    await Deno.writeTextFile("CHANGELOG.md", dated);
    const { success } = await new Deno.Command(Deno.execPath(), {
      args: ["task", "release:check"],
      stdin: "null",
      stdout: "inherit",
      stderr: "inherit",
    }).spawn().status;
    if (!success) throw new ReleaseError("deno task release:check failed");
    if (dryRun) {
      await restore();
      console.log(`${version} can be released. Nothing was changed.`);
      return;
    }
    await output("git", "add", "deno.json", "cli/version.ts", "CHANGELOG.md");
    await output("git", "commit", "--message", `Release ${version}`);
    await output("git", "tag", `v${version}`);
  } catch (error) {
    await restore();
    await output("git", "reset", "--quiet");
    throw error;
  }
  console.log(
    `Tagged v${version}. Publish it: git push --atomic origin main v${version}`,
  );
}

const { values, positionals } = parseArgs({
  args: Deno.args,
  allowPositionals: true,
  options: {
    "dry-run": { type: "boolean", short: "n", default: false },
    help: { type: "boolean", short: "h" },
  },
});
if (values.help || positionals.length !== 1) {
  console.log(HELP);
  Deno.exit(values.help ? 0 : 2);
}
try {
  await release(positionals[0]!, values["dry-run"]);
} catch (error) {
  if (!(error instanceof ReleaseError)) throw error;
  console.error(error.message);
  Deno.exit(1);
}
