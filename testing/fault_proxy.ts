// A TCP proxy that cuts connections, falls silent or goes down on demand.
import type { Server, Socket } from "node:net";

/**
 * What a {@linkcode FaultProxy} does with the next request.
 *
 * - `"none"`: it lets the request pass.
 * - `"request"`: it drops the request and closes the connection. The server
 *   never sees the request.
 * - `"answer"`: it lets the request pass, drops the answer and closes the
 *   connection. The server applies what the client cannot know.
 *
 * @example Usage
 * ```ts
 * import type { Cut } from "@org/kv/testing";
 *
 * const cut: Cut = "answer";
 * ```
 */
export type Cut = "none" | "request" | "answer";

/**
 * A TCP proxy on a loopback port, for the outage tests of a driver: connect the
 * client to the proxy, and let it fail at the worst moment.
 *
 * Bytes that arrive together count as one request, which is what a client
 * writes in one turn.
 *
 * @example A write whose outcome is unknown
 * ```ts
 * import { FaultProxy } from "@org/kv/testing";
 * import { assertEquals } from "@std/assert";
 * import { createServer } from "node:http";
 *
 * let received = 0;
 * const server = createServer((_, response) => {
 *   received++;
 *   response.end();
 * });
 * await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
 * const { port } = server.address() as { port: number };
 * {
 *   await using proxy = await FaultProxy.start(port);
 *   proxy.next = "answer";
 *   const outcome = await fetch(`http://127.0.0.1:${proxy.port}`).then(
 *     () => "answered",
 *     () => "failed",
 *   );
 *   assertEquals([outcome, received, proxy.cuts], ["failed", 1, 1]);
 * }
 * server.close();
 * ```
 */
export class FaultProxy {
  /** What to do with the next request, once. */
  next: Cut = "none";
  /** How many requests pass before that one. */
  skip = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #cuts = 0;
  #isSilent = false;
  #isDown = false;

  private constructor(server: Server) {
    this.#server = server;
  }

  /**
   * Starts a proxy.
   *
   * @param target The port of the server, or its port and host.
   * @returns The proxy, listening on a free port of 127.0.0.1.
   */
  static async start(
    target: number | { port: number; host?: string },
  ): Promise<FaultProxy> {
    // Only here, so that the suite also loads where there are no sockets.
    const { connect, createServer } = await import("node:net");
    const { port, host = "127.0.0.1" } = typeof target === "number"
      ? { port: target }
      : target;
    const server = createServer((client) =>
      proxy.#serve(client, () => connect(port, host))
    );
    const proxy = new FaultProxy(server);
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(0, "127.0.0.1", resolve);
    });
    return proxy;
  }

  /** The port to connect the client to. */
  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  /** How many connections `next` has cut. */
  get cuts(): number {
    return this.#cuts;
  }

  /**
   * Stops passing bytes on, without closing a connection, as a network does
   * that loses every packet. `resume()` delivers what has arrived meanwhile.
   */
  silence(): void {
    this.#isSilent = true;
    for (const socket of this.#sockets) socket.pause();
  }

  /** Closes every connection, and from now on each new one at once. */
  goDown(): void {
    this.#isDown = true;
    this.disconnect();
  }

  /** Ends `silence()` and `goDown()`. */
  resume(): void {
    this.#isSilent = false;
    this.#isDown = false;
    for (const socket of this.#sockets) socket.resume();
  }

  /** Closes every connection that is open now. */
  disconnect(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Closes every connection, and stops listening. */
  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.goDown();
    await closed;
    while (this.#sockets.size > 0) {
      const [socket] = this.#sockets;
      await new Promise((resolve) => socket!.once("close", resolve));
    }
  }

  #serve(client: Socket, connect: () => Socket): void {
    if (this.#isDown) return void client.destroy();
    const server = connect();
    let isDoomed = false;
    this.#forward(client, server, () => {
      const cut = this.#cutNext();
      isDoomed = cut === "answer";
      return cut !== "request";
    });
    this.#forward(server, client, () => !isDoomed);
  }

  /** Takes what to do with a request. */
  #cutNext(): Cut {
    if (this.skip > 0) {
      this.skip--;
      return "none";
    }
    const cut = this.next;
    this.next = "none";
    if (cut !== "none") this.#cuts++;
    return cut;
  }

  /** Passes bytes on as long as they may pass, then closes both sides. */
  #forward(from: Socket, to: Socket, mayPass: () => boolean): void {
    this.#sockets.add(from);
    from.setNoDelay(true);
    from.on("data", (bytes) => {
      if (!mayPass()) {
        from.destroy();
        to.destroy();
      } else if (!to.write(bytes)) {
        from.pause();
      }
    });
    to.on("drain", () => {
      if (!this.#isSilent) from.resume();
    });
    from.on("end", () => to.end());
    // What broke one side closes both, and a close follows each error.
    from.on("error", () => {});
    from.on("close", () => {
      this.#sockets.delete(from);
      to.destroy();
    });
    if (this.#isSilent) from.pause();
  }
}
