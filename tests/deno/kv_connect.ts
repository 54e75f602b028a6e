// A server that speaks KV Connect, the protocol of remote Deno KV databases. The
// engine is denokv's own, which `@deno/kv` contains; this is its HTTP part:
// https://github.com/denoland/denokv/blob/main/proto/kv-connect.md
import { openKv } from "@deno/kv";

const TOKEN = "token of the tests";
const PROTOBUF = { "content-type": "application/x-protobuf" };

/** What a client asked for. */
export type Method = "snapshot_read" | "atomic_write";

/** What the native part of `@deno/kv` offers. */
interface Engine {
  readonly dbId: number;
  readonly napi: {
    snapshotRead(db: number, request: Uint8Array, debug: false): Answer;
    atomicWrite(db: number, request: Uint8Array, debug: false): Answer;
  };
  close(): void;
}

type Answer = Promise<Uint8Array<ArrayBuffer>>;

/** Databases in memory, one for each path, served on a port. */
export class KvConnectServer implements AsyncDisposable {
  readonly #engines = new Map<string, Promise<Engine>>();
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #clients: Deno.Kv[] = [];
  /** Stands between a request and its answer. */
  intercept: (
    method: Method,
    answer: () => Promise<Response>,
  ) => Promise<Response> = (_, answer) => answer();

  constructor() {
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen() {} },
      (request) => this.#answer(request),
    );
  }

  /** The address. A path follows it that is a UUID, the name of a database. */
  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}`;
  }

  /** The access token. */
  get token(): string {
    return TOKEN;
  }

  /** Opens a database by Deno's own client. */
  async open(name = "00000000-0000-4000-8000-000000000000"): Promise<Deno.Kv> {
    Deno.env.set("DENO_KV_ACCESS_TOKEN", TOKEN);
    const kv = await Deno.openKv(`${this.url}/${name}`);
    this.#clients.push(kv);
    return kv;
  }

  async #answer(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (request.headers.get("authorization") !== `Bearer ${TOKEN}`) {
      return new Response("wrong token", { status: 401 });
    }
    const body = await request.bytes();
    const [first, method] = pathname.slice(1).split("/") as [string, Method?];
    if (method === undefined) return metadata(first);
    const name = request.headers.get("x-denokv-database-id")!;
    return await this.intercept(
      method,
      () => this.#execute(name, method, body),
    );
  }

  async #execute(
    name: string,
    method: Method,
    request: Uint8Array,
  ): Promise<Response> {
    if (!this.#engines.has(name)) this.#engines.set(name, openEngine());
    const { napi, dbId } = await this.#engines.get(name)!;
    try {
      const answer = method === "atomic_write"
        ? await napi.atomicWrite(dbId, request, false)
        : await napi.snapshotRead(dbId, request, false);
      return new Response(answer, { headers: PROTOBUF });
    } catch (error) {
      // A request beyond the limits.
      return new Response((error as Error).message, { status: 400 });
    }
  }

  async [Symbol.asyncDispose]() {
    for (const kv of this.#clients) kv.close();
    await this.#server.shutdown();
    for (const engine of this.#engines.values()) (await engine).close();
  }
}

async function openEngine(): Promise<Engine> {
  // Values stay as the client has encoded them.
  const same = (bytes: Uint8Array) => bytes;
  const kv = await openKv(
    ":memory:",
    { implementation: "sqlite", encodeV8: same, decodeV8: same },
  );
  return kv as unknown as Engine;
}

function metadata(name: string): Response {
  return Response.json({
    version: 3,
    databaseId: name,
    endpoints: [{ url: "/v3", consistency: "strong" }],
    token: TOKEN,
    expiresAt: new Date(Date.now() + 3_600_000).toISOString(),
  });
}
