// The fault proxy, between a client and an echo server.
import { assert, assertEquals } from "@std/assert";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { FaultProxy } from "../../testing/mod.ts";

Deno.test("FaultProxy passes requests and answers of any size", async () => {
  await using server = await echo();
  await using proxy = await FaultProxy.start({
    port: server.port,
    host: "127.0.0.1",
  });
  const client = await open(proxy);
  const bytes = crypto.getRandomValues(new Uint8Array(60_000));
  for (let i = 0; i < 20; i++) client.write(bytes);
  for (let i = 0; i < 20; i++) {
    assertEquals(await client.read(bytes.length), bytes);
  }
  assertEquals(proxy.cuts, 0);
  client.socket.end();
  await client.closed();
});

Deno.test("FaultProxy drops a request before the server sees it", async () => {
  await using server = await echo();
  await using proxy = await FaultProxy.start(server.port);
  const client = await open(proxy);
  proxy.skip = 1;
  proxy.next = "request";
  client.write("first");
  await client.read(5);
  client.write("second");
  await client.closed();
  assertEquals([server.received, proxy.cuts, proxy.next], ["first", 1, "none"]);
});

Deno.test("FaultProxy drops an answer after the server has seen the request", async () => {
  await using server = await echo();
  await using proxy = await FaultProxy.start(server.port);
  const client = await open(proxy);
  proxy.next = "answer";
  client.write("request");
  await client.closed();
  assertEquals([server.received, proxy.cuts], ["request", 1]);
  assertEquals(client.socket.bytesRead, 0);
  const other = await open(proxy);
  other.write("again");
  assertEquals(await text(other, 5), "again");
  other.socket.destroy();
});

Deno.test("FaultProxy delivers after its silence what was sent during it", async () => {
  await using server = await echo();
  await using proxy = await FaultProxy.start(server.port);
  const client = await open(proxy);
  client.write("before");
  await client.read(6);
  proxy.silence();
  client.write("during");
  const late = await open(proxy);
  late.write("late");
  // What another connection exchanges meanwhile takes longer than these bytes.
  const direct = await open(server);
  direct.write("direct");
  await direct.read(6);
  direct.socket.destroy();
  assert(!server.received.includes("during"), server.received);
  proxy.resume();
  assertEquals(await text(client, 6), "during");
  assertEquals(await text(late, 4), "late");
  client.socket.destroy();
  late.socket.destroy();
});

Deno.test("FaultProxy closes every connection while it is down", async () => {
  await using server = await echo();
  await using proxy = await FaultProxy.start(server.port);
  const client = await open(proxy);
  client.write("before");
  await client.read(6);
  proxy.goDown();
  await client.closed();
  const other = connect(proxy.port, "127.0.0.1");
  other.on("error", () => {});
  await once(other, "close");
  proxy.resume();
  const last = await open(proxy);
  last.write("after");
  assertEquals(await text(last, 5), "after");
  proxy.disconnect();
  await last.closed();
});

/** A server that sends back what it receives. */
async function echo() {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("data", (bytes) => {
      result.received += bytes.length < 100 ? bytes : "";
      socket.write(bytes);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const result = {
    received: "",
    port: (server.address() as { port: number }).port,
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close");
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
  return result;
}

/** A connected client, which keeps what it receives. */
interface Client {
  readonly socket: Socket;
  write(data: string | Uint8Array): void;
  /** Waits until this many bytes have come since the last call. */
  read(length: number): Promise<Uint8Array>;
  /** Waits until the connection is closed. */
  closed(): Promise<void>;
}

async function open({ port }: { port: number }): Promise<Client> {
  const socket = connect(port, "127.0.0.1");
  const closed = new Promise<void>((resolve) => socket.once("close", resolve));
  let received = new Uint8Array();
  let arrived = Promise.withResolvers<void>();
  socket.on("error", () => {});
  socket.on("data", (bytes: Uint8Array) => {
    const both = new Uint8Array(received.length + bytes.length);
    both.set(received);
    both.set(bytes, received.length);
    received = both;
    arrived.resolve();
    arrived = Promise.withResolvers();
  });
  await once(socket, "connect");
  return {
    socket,
    write: (data) => void socket.write(data),
    closed: () => closed,
    async read(length) {
      while (received.length < length) await arrived.promise;
      const bytes = received.slice(0, length);
      received = received.slice(length);
      return bytes;
    },
  };
}

async function text(client: Client, length: number): Promise<string> {
  return new TextDecoder().decode(await client.read(length));
}
