// A proxy that cuts connections on demand.

/** What a proxy does with the next request. */
export type Cut =
  /** Lets it pass. */
  | "none"
  /** Closes the connection, so that the request is lost. */
  | "request"
  /** Has the server carry it out, and closes the connection on its answer. */
  | "answer";

/** A proxy on a loopback port that cuts connections at the worst moment. */
export class CutProxy implements AsyncDisposable {
  /** What to do with the next request, once. */
  next: Cut = "none";
  /** How many requests pass before that. */
  skip = 0;
  /** How many connections were cut. */
  cuts = 0;
  readonly #listener: Deno.TcpListener;
  readonly #target: number;
  readonly #connections = new Set<Deno.TcpConn>();
  readonly #done: Promise<void>;

  /** Starts a proxy to a loopback port. */
  constructor(target: number) {
    this.#target = target;
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.#done = this.#accept();
  }

  /** The port of the proxy. */
  get port(): number {
    return this.#listener.addr.port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const connection of this.#connections) close(connection);
    await this.#done;
  }

  async #accept(): Promise<void> {
    const served: Promise<void>[] = [];
    for await (const client of this.#listener) served.push(this.#serve(client));
    await Promise.all(served);
  }

  async #serve(client: Deno.TcpConn): Promise<void> {
    this.#connections.add(client);
    const server = await Deno.connect({
      hostname: "127.0.0.1",
      port: this.#target,
    }).catch(() => undefined);
    if (server === undefined) return close(client);
    this.#connections.add(server);
    let isDoomed = false;
    await Promise.all([
      pump(client, server, () => {
        if (this.skip > 0) {
          this.skip--;
          return true;
        }
        const cut = this.next;
        this.next = "none";
        if (cut !== "none") this.cuts++;
        isDoomed = cut === "answer";
        return cut !== "request";
      }),
      pump(server, client, () => !isDoomed),
    ]);
    this.#connections.delete(client);
    this.#connections.delete(server);
  }
}

/** Passes bytes on as long as it may, and closes both sides then. */
async function pump(
  from: Deno.TcpConn,
  to: Deno.TcpConn,
  mayPass: () => boolean,
): Promise<void> {
  const buffer = new Uint8Array(65_536);
  try {
    while (true) {
      const length = await from.read(buffer);
      if (length === null || !mayPass()) break;
      for (let sent = 0; sent < length;) {
        sent += await to.write(buffer.subarray(sent, length));
      }
    }
  } catch {
    // The other direction has closed it.
  }
  close(from);
  close(to);
}

function close(connection: Deno.TcpConn): void {
  try {
    connection.close();
  } catch {
    // It is closed.
  }
}
