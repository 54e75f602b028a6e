import { canEnter, type User } from "./user.ts";

/** The folder for what is kept between runs: made if missing. */
export async function cacheFolder(user?: User): Promise<string> {
  const home = Deno.env.get("HOME") ?? "/tmp";
  const base = Deno.env.get("XDG_CACHE_HOME") || `${home}/.cache`;
  const folder = `${base}/org-kv`;
  await Deno.mkdir(folder, { recursive: true });
  if (await canEnter(user, folder)) return folder;
  // Root's home is closed to the user that PostgreSQL runs as.
  const open = "/var/cache/org-kv";
  await Deno.mkdir(open, { recursive: true });
  await Deno.chmod(open, 0o755);
  return open;
}

/** Names a temporary folder, not made yet, that `user` can get to. */
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
