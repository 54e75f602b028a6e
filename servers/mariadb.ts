/** Starts private MariaDB servers. */
import { temporaryFolder } from "./folder.ts";
import { freshPassword } from "./password.ts";
import { freePort } from "./port.ts";
import type { Programs } from "./product.ts";
import { commandOf, findPrograms } from "./programs.ts";
import { query } from "./query.ts";
import type { StartContext } from "./redis.ts";
import { run } from "./run.ts";
import { type Server, WatchedServer } from "./server.ts";

/** Options for {@linkcode startMariadb}. */
export interface MariadbOptions {
  /**
   * Settings of the server, over MariaDB's own: `{ innodb_page_size: "4k" }`.
   *
   * @default {{}}
   */
  settings?: Readonly<Record<string, string | number>>;
}

/** Starts a private MariaDB. */
export async function startMariadb(
  options: MariadbOptions = {},
): Promise<Server> {
  const programs = await findPrograms("mariadb");
  return await launchMariadb(options, { programs, shared: false });
}

/** Starts a MariaDB out of given programs. */
export async function launchMariadb(
  options: MariadbOptions,
  { programs, shared }: StartContext,
): Promise<Server> {
  const folder = await temporaryFolder("mariadb");
  const data = `${folder}/data`;
  const share = await shareFolder(programs);
  const port = freePort();
  const password = freshPassword();
  const settings = {
    // A probe of a port is no login.
    "max-connect-errors": 1_000_000,
    ...options.settings,
    "bind-address": "127.0.0.1",
    port,
    socket: `${data}/socket`,
    datadir: data,
    "lc-messages-dir": share,
    "character-sets-dir": `${share}/charsets`,
  };
  return await WatchedServer.start({
    name: "MariaDB",
    url: `mysql://kv:${password}@127.0.0.1:${port}/kv`,
    port,
    password,
    folder,
    command: [
      "sh",
      "-c",
      // A variable and a pipe, because every local user can read arguments.
      "test -e created || { { " +
      'echo "CREATE DATABASE mysql;"; echo "USE mysql;"; ' +
      'cat "$1"/*_system_tables.sql "$1"/*_performance_tables.sql ' +
      '"$1"/*_system_tables_data.sql; echo "$KV_USERS"; } | ' +
      '{ shift; "$@" --bootstrap --log-warnings=0; } && : >created; } && ' +
      'unset KV_USERS && shift && exec "$@"',
      "sh",
      share,
      ...commandOf(programs, "mariadbd"),
      "--no-defaults",
      `--user=${(await run(["id", "-un"])).stdout.trim()}`,
      "--skip-name-resolve",
      ...Object.entries(settings).map(([name, value]) => `--${name}=${value}`),
    ],
    env: {
      KV_USERS: [
        "FLUSH PRIVILEGES",
        `ALTER USER 'root'@'localhost' IDENTIFIED BY '${password}'`,
        `CREATE USER 'kv'@'127.0.0.1' IDENTIFIED BY '${password}'`,
        "GRANT ALL ON *.* TO 'kv'@'127.0.0.1' WITH GRANT OPTION",
        "CREATE DATABASE kv",
      ].map((statement) => `${statement};\n`).join(""),
    },
    signal: "KILL",
    shared,
    async isReady() {
      // The server speaks first: a header, and the version of its protocol.
      const greeting = await query(port, new Uint8Array());
      return greeting?.[4] === 10;
    },
  });
}

/** The folder of messages, character sets and the tables of a new server. */
async function shareFolder({ folder }: Programs): Promise<string> {
  for (const name of ["mysql", "mariadb"]) {
    const share = `${folder}/../share/${name}`;
    const found = await Deno.stat(`${share}/charsets`).catch(() => undefined);
    if (found?.isDirectory) return await Deno.realPath(share);
  }
  throw new Error(`Cannot start MariaDB: its data files are missing`);
}
