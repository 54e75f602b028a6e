/** A small disk in memory, which can become full. */
import { type Outcome, run } from "../servers/run.ts";

/** Its size in KiB. */
const SIZE = 256 * 1_024;

/** Mounts a disk on a folder; disposing unmounts it. */
export async function mountDisk(folder: string): Promise<AsyncDisposable> {
  const size = `size=${SIZE}k`;
  check(await run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", folder]));
  return {
    async [Symbol.asyncDispose]() {
      check(await run(["umount", folder]));
    },
  };
}

/** Leaves no more than some KiB of room on the disk of a file. */
export async function fillDisk(file: string, room: number): Promise<void> {
  const folder = folderOf(file);
  while (true) {
    const { stdout } = await run(["df", "--output=used", folder]);
    const size = Number(stdout.split("\n")[1]) + room;
    // Fails if that much has been written meanwhile.
    if ((await resize(folder, size)).ok) return;
  }
}

/** Makes the disk of a file large again. */
export async function emptyDisk(file: string): Promise<void> {
  check(await resize(folderOf(file), SIZE));
}

function resize(folder: string, size: number): Promise<Outcome> {
  return run(["mount", "-o", `remount,size=${size}k`, folder]);
}

function folderOf(file: string): string {
  return file.slice(0, file.lastIndexOf("/"));
}

function check({ ok, stderr }: Outcome): void {
  if (!ok) throw new Error(`Cannot prepare the disk: ${stderr.trim()}`);
}
