// Free loopback ports.

/**
 * Finds a free loopback port.
 *
 * It lies below the ports that systems give to outgoing connections, so that it
 * is still free when a killed server wants it back; the port 10,000 above, the
 * bus of a cluster node, does as well.
 */
export function freePort(): number {
  while (true) {
    const port = 10_000 + Math.floor(Math.random() * 12_000);
    if (isFree(port) && isFree(port + 10_000)) return port;
  }
}

/** Whether nothing listens on the loopback port. */
export function isFree(port: number): boolean {
  try {
    Deno.listen({ hostname: "127.0.0.1", port }).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) return false;
    throw error;
  }
}
