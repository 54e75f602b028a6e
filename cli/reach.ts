/** Whether the servers of a URL can be reached at all. */

import { connect } from "node:net";
import { Expected } from "./errors.ts";

/** How long to wait for a connection, in milliseconds. */
const PATIENCE = 10_000;

/**
 * Throws if no server of a Redis URL accepts connections. The clients of Redis
 * try again and again, and do not say why they fail.
 *
 * @param url A URL of any kind.
 */
export async function checkReachable(url: string): Promise<void> {
  const [, scheme, hosts] = /^(\w+(?:\+cluster)?):\/\/(?:[^/?]*@)?([^/?]*)/
    .exec(url) ?? [];
  if (scheme === undefined || !/^redis/.test(scheme)) return;
  const errors = await Promise.all(
    (hosts || "localhost").split(",").map((host) => attempt(host)),
  );
  if (errors.every((error) => error !== undefined)) {
    throw new Expected(`cannot connect to ${hosts}: ${errors[0]}`);
  }
}

/** Connects and disconnects; returns the reason if that fails. */
function attempt(host: string): Promise<string | undefined> {
  const { hostname, port } = new URL(`redis://${host}`);
  return new Promise((resolve) => {
    const socket = connect({
      host: hostname.replace(/^\[|\]$/g, "") || "localhost",
      port: Number(port || 6379),
      timeout: PATIENCE,
    });
    const end = (reason?: string) => {
      socket.destroy();
      resolve(reason);
    };
    socket.once("connect", () => end());
    socket.once("timeout", () => end("no answer"));
    socket.once(
      "error",
      (error: Error & { code?: string }) => end(error.message || error.code),
    );
  });
}
