// The user that a server runs as, because PostgreSQL does not run as root.
import { run } from "./run.ts";

/** A user of the system, by its numbers. */
export interface User {
  uid: number;
  gid: number;
}

/**
 * The user that PostgreSQL, which refuses root, runs as: `undefined` for
 * whoever runs this process.
 */
export async function postgresUser(): Promise<User | undefined> {
  if (Deno.uid() !== 0) return undefined;
  for (const name of ["postgres", "nobody"]) {
    const uid = await run(["id", "-u", name]);
    const gid = await run(["id", "-g", name]);
    if (uid.ok && gid.ok) {
      return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
    }
  }
  throw new Error(
    "Cannot run PostgreSQL as root: no user postgres or nobody found",
  );
}

/** The command that runs `command` as `user`. */
export function asUser(
  user: User | undefined,
  command: readonly [string, ...string[]],
): [string, ...string[]] {
  if (user === undefined) return [...command];
  return [
    "setpriv",
    `--reuid=${user.uid}`,
    `--regid=${user.gid}`,
    "--clear-groups",
    "--",
    ...command,
  ];
}

/** Whether `user` may go into `folder`. */
export async function canEnter(
  user: User | undefined,
  folder: string,
): Promise<boolean> {
  return (await run(asUser(user, ["test", "-x", folder]))).ok;
}
