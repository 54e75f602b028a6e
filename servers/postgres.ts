/** Starts private PostgreSQL servers. */
import { temporaryFolder } from "./folder.ts";
import { freshPassword } from "./password.ts";
import { freePort } from "./port.ts";
import { commandOf, findPrograms } from "./programs.ts";
import { query } from "./query.ts";
import type { StartContext } from "./redis.ts";
import { run } from "./run.ts";
import { type Server, WatchedServer } from "./server.ts";
import { asUser, postgresUser, type User } from "./user.ts";

/** Options for {@linkcode startPostgres}. */
export interface PostgresOptions {
  /**
   * Settings of `postgresql.conf`, besides and over PostgreSQL's own.
   *
   * @default {{ jit: "off" }}
   */
  settings?: Readonly<Record<string, string | number>>;
  /**
   * Options of `initdb` that choose the encoding and the locale. By default
   * the encoding is UTF-8 and the collation English, by ICU if PostgreSQL is 15
   * or later, so that no order comes out right by chance.
   */
  locale?: readonly string[];
}

/** Starts a private PostgreSQL. */
export async function startPostgres(
  options: PostgresOptions = {},
): Promise<Server> {
  const programs = await findPrograms("postgres");
  return await launchPostgres(options, { programs, shared: false });
}

/** Starts a PostgreSQL out of given programs. */
export async function launchPostgres(
  options: PostgresOptions,
  { programs, shared }: StartContext,
): Promise<Server> {
  const user = await postgresUser();
  const initdb = commandOf(programs, "initdb");
  const locale = options.locale ?? await englishLocale(initdb);
  const folder = await temporaryFolder("postgres", user);
  const data = `${folder}/data`;
  const port = freePort();
  const password = freshPassword();
  const settings = {
    // Only for long queries, and unpacked packages come without LLVM.
    jit: "off",
    ...options.settings,
    listen_addresses: "127.0.0.1",
    port,
    unix_socket_directories: "",
    // In the data folder rather than in /dev/shm, where a killed server's stays.
    dynamic_shared_memory_type: "mmap",
  };
  return await WatchedServer.start({
    name: "PostgreSQL",
    url: `postgres://postgres:${password}@127.0.0.1:${port}/postgres`,
    port,
    password,
    folder,
    user,
    command: asUser(user, [
      "sh",
      "-c",
      // A variable and a pipe, because every local user can read arguments.
      'test -e "$1/PG_VERSION" || printf "%s" "$KV_PASSWORD" | eval "$2" && ' +
      'unset KV_PASSWORD && eval "exec $3"',
      "sh",
      data,
      quote([
        ...initdb,
        `--pgdata=${data}`,
        "--username=postgres",
        "--auth=scram-sha-256",
        "--pwfile=/dev/stdin",
        "--no-sync",
        ...locale,
      ]),
      quote([
        ...commandOf(programs, "postgres"),
        "-D",
        data,
        ...Object.entries(settings).flatMap(([name, value]) => [
          "-c",
          `${name}=${value}`,
        ]),
      ]),
    ]),
    env: { KV_PASSWORD: password },
    signal: "QUIT",
    shared,
    async isReady() {
      const reply = await query(port, STARTUP);
      return reply?.[0] === "R".charCodeAt(0);
    },
    async killed() {
      await removeSharedMemory(`${data}/postmaster.pid`, user);
    },
  });
}

/** The message by which a client opens a session. */
export const STARTUP = startupMessage({
  user: "postgres",
  database: "postgres",
});

/** The message that opens a session, by version 3.0 of the protocol. */
function startupMessage(
  parameters: Record<string, string>,
): Uint8Array<ArrayBuffer> {
  const text = Object.entries(parameters).flat().join("\0");
  const body = new TextEncoder().encode(`${text}\0\0`);
  const message = new Uint8Array(8 + body.length);
  const view = new DataView(message.buffer);
  view.setInt32(0, message.length);
  view.setInt32(4, 3 << 16);
  message.set(body, 8);
  return message;
}

async function englishLocale(
  initdb: readonly [string, ...string[]],
): Promise<string[]> {
  const help = await run([...initdb, "--help"]);
  if (help.stdout.includes("--icu-locale")) {
    return [
      "--encoding=UTF8",
      "--locale=C",
      "--locale-provider=icu",
      "--icu-locale=en-US",
    ];
  }
  const locales = await run(["locale", "-a"]);
  const english = /^en_US\.utf-?8$/im.exec(locales.stdout)?.[0];
  return ["--encoding=UTF8", `--locale=${english ?? "C"}`];
}

/**
 * Removes the System V memory by which PostgreSQL keeps a second server out of
 * a data folder, because it outlives a killed server. Only `user` does so: the
 * file may say anything.
 */
async function removeSharedMemory(
  pidFile: string,
  user: User | undefined,
): Promise<void> {
  const { stdout } = await run(asUser(user, ["cat", pidFile]));
  const id = stdout.split("\n")[6]?.trim().split(/\s+/)[1];
  if (id !== undefined) await run(asUser(user, ["ipcrm", "-m", id]));
}

function quote(command: readonly string[]): string {
  return command
    .map((word) => `'${word.replaceAll("'", `'\\''`)}'`)
    .join(" ");
}
