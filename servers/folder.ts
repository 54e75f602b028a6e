/** Where servers keep programs and data: folders that only their owner changes. */
import { run } from "./run.ts";
import { canEnter, type User } from "./user.ts";

/**
 * The folder for programs and locks that are kept between runs. It is created
 * if it is missing.
 *
 * @throws {Error} If it is not a folder of this user, because whoever owns it
 * chooses the programs that run.
 */
export async function cacheFolder(user?: User): Promise<string> {
  const folder = `${await cacheBase()}/org-kv`;
  await makeOwn(folder);
  if (await canEnter(user, folder)) return folder;
  // Root's home is closed to the user that PostgreSQL runs as.
  const open = "/var/cache/org-kv";
  await makeOwn(open);
  return open;
}

async function cacheBase(): Promise<string> {
  const given = Deno.env.get("XDG_CACHE_HOME");
  if (given) return given;
  const home = Deno.env.get("HOME") || await homeOfUser();
  if (home) return `${home}/.cache`;
  throw new Error(
    "Cannot choose a cache folder: neither XDG_CACHE_HOME nor HOME is set, " +
      "and the user has no home",
  );
}

/** The home that the system has on record for the user of this process. */
async function homeOfUser(): Promise<string | undefined> {
  const entry = await run(["getent", "passwd", String(Deno.uid())]);
  return entry.stdout.split(":")[5];
}

/** Creates a folder that only this user can write to, or checks that it is one. */
async function makeOwn(folder: string): Promise<void> {
  await Deno.mkdir(folder, { recursive: true }).catch((error) => {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  });
  const info = await Deno.lstat(folder);
  if (!info.isDirectory || info.uid !== Deno.uid()) {
    throw new Error(
      `Cannot use the cache folder ${folder}: it is not a folder of user ${Deno.uid()}`,
    );
  }
  await Deno.chmod(folder, 0o755);
}

/** Returns the name of a new temporary folder that `user` can reach. */
export async function temporaryFolder(
  name: string,
  user?: User,
): Promise<string> {
  const base = Deno.env.get("TMPDIR") || "/tmp";
  const parent = await canEnter(user, base) ? base : "/tmp";
  return `${parent}/kv-${name}-${crypto.randomUUID()}`;
}

/** Runs `action` while no other thread or process holds the lock `name`. */
export async function locked<T>(
  name: string,
  action: () => Promise<T>,
): Promise<T> {
  using file = await Deno.open(`${await cacheFolder()}/${name}.lock`, {
    create: true,
    write: true,
  });
  await file.lock(true);
  return await action();
}
