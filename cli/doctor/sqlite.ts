/** What `kv doctor` checks of a file of SQLite or Deno KV. */

import { stat, statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { pathOf } from "../../open/engine.ts";
import { formatBytes } from "../format.ts";
import { fault, type Finding, ok, type Subject } from "./finding.ts";

/** File systems that are shared by a network, by the magic numbers of Linux. */
const NETWORK_FILE_SYSTEMS = new Map([
  [0x6969, "NFS"],
  [0xff534d42, "CIFS"],
  [0xfe534d42, "SMB"],
  [0x01021997, "9P"],
  [0x00c36400, "Ceph"],
  [0x47504653, "GPFS"],
]);

/** A log that is larger than this was not checkpointed for long. */
const LARGE_LOG = 256 * 1024 ** 2;

/** Checks a SQLite database. */
export async function* diagnoseSqlite(
  { url, table }: Subject,
): AsyncGenerator<Finding> {
  const path = pathOf(url);
  if (path === "" || path === ":memory:") return;
  yield* diagnoseFile(path);
  const { DatabaseSync } = await import("node:sqlite");
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    const pragma = (name: string): unknown =>
      Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0];
    const mode = pragma("journal_mode");
    yield mode === "wal" ? ok("journal mode", "WAL") : fault(
      "warning",
      "journal mode",
      `${mode}: readers and writers wait for each other`,
      "PRAGMA journal_mode = WAL, once; openKv() and kv set it",
    );
    const tables = db.prepare("SELECT 1 FROM sqlite_master WHERE name = ?");
    if (tables.get(table) === undefined) {
      yield fault(
        "note",
        "table",
        `there is no table ${table}`,
        "the first use of the store creates it",
      );
    }
    yield fault(
      "note",
      "synchronous",
      "each connection decides: openKv() uses NORMAL, node:sqlite FULL. With " +
        "NORMAL and WAL, a power failure may lose the last writes",
      "choose FULL if no acknowledged write may be lost",
    );
    yield ok(
      "busy timeout",
      "the store waits for locks itself; use busy_timeout = 0 on its connection",
    );
    const encoding = pragma("encoding");
    if (encoding !== "UTF-8") {
      yield fault("error", "encoding", `${encoding}`, "use a UTF-8 database");
    }
    const free = Number(pragma("freelist_count")) * Number(pragma("page_size"));
    yield free < 64 * 1024 ** 2
      ? ok("free space", `${formatBytes(free)} inside the file`)
      : fault(
        "note",
        "free space",
        `${formatBytes(free)} inside the file, which SQLite will use again`,
        "VACUUM gives it back; it blocks writers meanwhile",
      );
  } finally {
    db.close();
  }
}

/** Checks a file and where it is. */
export async function* diagnoseFile(path: string): AsyncGenerator<Finding> {
  const { size, mode } = await stat(path);
  yield ok("file", `${formatBytes(size)} in ${path}`);
  const { type, bavail, bsize } = await statfs(dirname(path));
  const network = NETWORK_FILE_SYSTEMS.get(Number(type) >>> 0);
  yield network === undefined ? ok("file system", "local") : fault(
    "error",
    "file system",
    `${network}: locks of network file systems are not reliable`,
    "move the file to a local disk",
  );
  const left = Number(bavail) * Number(bsize);
  if (left < Math.max(size / 10, 64 * 1024 ** 2)) {
    yield fault(
      "warning",
      "disk",
      `only ${formatBytes(left)} are left`,
      "make room: writes fail when the disk is full",
    );
  }
  if ((mode & 0o077) !== 0) {
    yield fault(
      "note",
      "rights",
      `other users may read the file (mode ${(mode & 0o777).toString(8)})`,
      `chmod 600 ${path}`,
    );
  }
  const log = await stat(`${path}-wal`).catch(() => undefined);
  if (log !== undefined && log.size > LARGE_LOG) {
    yield fault(
      "warning",
      "write-ahead log",
      `it takes ${formatBytes(log.size)}: readers keep SQLite from emptying it`,
      "end long reads, then PRAGMA wal_checkpoint(TRUNCATE)",
    );
  }
}
