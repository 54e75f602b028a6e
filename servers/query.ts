/** A query over TCP without a client library, to see whether a server serves. */

/**
 * Sends bytes to a loopback port and returns the first bytes that come back:
 * `undefined` if nobody answers.
 */
export async function query(
  port: number,
  request: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array | undefined> {
  let connection: Deno.TcpConn;
  try {
    connection = await Deno.connect({ hostname: "127.0.0.1", port });
  } catch {
    return undefined;
  }
  let open = true;
  function close() {
    if (open) connection.close();
    open = false;
  }
  const timer = setTimeout(close, 1_000);
  try {
    for (let sent = 0; sent < request.length;) {
      sent += await connection.write(request.subarray(sent));
    }
    const reply = new Uint8Array(4_096);
    const length = await connection.read(reply);
    return reply.subarray(0, length ?? 0);
  } catch {
    return undefined;
  } finally {
    clearTimeout(timer);
    close();
  }
}
