/** Starts PgBouncers, which pool the connections to a PostgreSQL. */
import { temporaryFolder } from "./folder.ts";
import { freshPassword } from "./password.ts";
import { freePort } from "./port.ts";
import { STARTUP } from "./postgres.ts";
import { commandOf, findPrograms } from "./programs.ts";
import { query } from "./query.ts";
import { type Server, WatchedServer } from "./server.ts";
import { asUser, postgresUser } from "./user.ts";

/**
 * Starts a PgBouncer in front of a PostgreSQL.
 *
 * @param server The port and the password of the PostgreSQL.
 * @param connections How many connections to the server it opens.
 * @param mode How long a client keeps a connection to the server.
 */
export async function startPgBouncer(
  server: Pick<Server, "port" | "password">,
  connections: number,
  mode: "transaction" | "session" = "transaction",
): Promise<Server> {
  const programs = await findPrograms("pgbouncer");
  const user = await postgresUser();
  const folder = await temporaryFolder("pgbouncer", user);
  const port = freePort();
  const password = freshPassword();
  const settings = `[databases]
postgres = host=127.0.0.1 port=${server.port} user=postgres password=${server.password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = plain
auth_file = ${folder}/data/users.txt
pool_mode = ${mode}
default_pool_size = ${connections}
max_client_conn = 200
`;
  return await WatchedServer.start({
    name: "PgBouncer",
    url: `postgres://postgres:${password}@127.0.0.1:${port}/postgres`,
    port,
    password,
    folder,
    user,
    // Files rather than arguments, which every local user can read.
    command: asUser(user, [
      "sh",
      "-c",
      'umask 077; printf "%s" "$KV_SETTINGS" >pgbouncer.ini; ' +
      'printf "%s" "$KV_USERS" >users.txt; unset KV_SETTINGS KV_USERS; exec "$@"',
      "sh",
      ...commandOf(programs, "pgbouncer"),
      `${folder}/data/pgbouncer.ini`,
    ]),
    env: { KV_SETTINGS: settings, KV_USERS: `"postgres" "${password}"\n` },
    signal: "KILL",
    shared: false,
    async isReady() {
      const reply = await query(port, STARTUP);
      return reply?.[0] === "R".charCodeAt(0);
    },
  });
}
