// Installs npm packages for tests in exact versions, checked by their integrity.
import { run } from "../../servers/run.ts";

const MINUTE = 60_000;

interface Lock {
  version: string;
  specifiers: Record<string, string>;
  npm: Record<string, { readonly integrity: string }>;
}

/**
 * Installs packages from npm into the `node_modules` of a folder.
 *
 * Every package, also an indirect one, must be in the lock file with the same
 * version and integrity. With `KV_UPDATE_LOCK=1` in the environment, those that
 * are missing are added to the lock file.
 *
 * @param folder The folder.
 * @param lockName The name of a lock file in `tests/support/locks/`.
 * @param dependencies The packages and their exact versions.
 * @throws {Error} If a package cannot be installed, or is not in the lock file.
 */
export async function installPackages(
  folder: string,
  lockName: string,
  dependencies: Readonly<Record<string, string>>,
): Promise<void> {
  const lockFile = new URL(`./locks/${lockName}.lock`, import.meta.url);
  const locked = await readLock(lockFile);
  await Deno.writeTextFile(
    `${folder}/package.json`,
    JSON.stringify({ dependencies }),
  );
  await Deno.writeTextFile(`${folder}/deno.lock`, JSON.stringify(locked));
  const { ok, stderr } = await run(
    [Deno.execPath(), "install", "--quiet", "--node-modules-dir=auto"],
    { cwd: folder, timeout: 10 * MINUTE },
  );
  if (!ok) throw new Error(`Cannot install packages: ${stderr.trim()}`);
  const installed = await readLock(`${folder}/deno.lock`);
  const missing = Object.keys(installed.npm).filter((name) =>
    locked.npm[name]?.integrity !== installed.npm[name]!.integrity
  );
  if (missing.length === 0) return;
  if (Deno.env.get("KV_UPDATE_LOCK") !== "1") {
    throw new Error(
      `Cannot install packages: not in ${lockName}.lock: ${missing.join(", ")}`,
    );
  }
  await Deno.writeTextFile(
    lockFile,
    `${JSON.stringify(merge(locked, installed), null, 2)}\n`,
  );
}

async function readLock(path: URL | string): Promise<Lock> {
  try {
    return JSON.parse(await Deno.readTextFile(path));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return { version: "5", specifiers: {}, npm: {} };
  }
}

function merge(a: Lock, b: Lock): Lock {
  return {
    version: b.version,
    specifiers: { ...a.specifiers, ...b.specifiers },
    npm: { ...a.npm, ...b.npm },
  };
}
