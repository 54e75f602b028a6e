/** A server process under a watchdog that ends it with its starter. */
import type { User } from "./user.ts";

/**
 * A private server on a loopback port, with its data in a temporary folder.
 *
 * It ends with `stop()`, and with the thread that started it: at the end of a
 * test file, or of the process, in whatever way.
 */
export interface Server extends AsyncDisposable {
  /** The URL that a client connects to. */
  readonly url: string;
  /** The loopback address. */
  readonly host: string;
  /** The port, the same after a restart. */
  readonly port: number;
  /** The password, the same after a restart. It is part of `url`. */
  readonly password: string;
  /** Returns the URL with another loopback port, such as that of a proxy. */
  urlAt(port: number): string;
  /** Ends the server and removes its folder. A second call does nothing. */
  stop(): Promise<void>;
  /** Ends the server by SIGKILL; what it had written to its folder stays. */
  kill(): Promise<void>;
  /** Starts the server on the same port and folder, killing it if it still runs. */
  restart(): Promise<void>;
}

/** How to run a server under a watchdog. */
export interface Launch {
  /** The server's name in errors. */
  name: string;
  /** The URL that a client connects to. */
  url: string;
  /** The port that it listens on. */
  port: number;
  /** The password that `url` contains. */
  password: string;
  /**
   * The server's own folder, created at the start and removed at the end. The
   * server runs in its subfolder `data`.
   */
  folder: string;
  /** The owner of `data`: by default whoever runs this process. */
  user?: User | undefined;
  /** The command that runs the server in the foreground. */
  command: readonly string[];
  /** Variables for the command, secret from other users unlike its arguments. */
  env: Readonly<Record<string, string>>;
  /** The signal that ends it for good. */
  signal: "KILL" | "QUIT";
  /** Whether it outlives the thread that starts it, up to the end of the process. */
  shared: boolean;
  /** Whether the server serves. */
  isReady(): Promise<boolean>;
  /** Called when the server was killed. */
  killed?(): Promise<void>;
}

const WATCHDOG = `${import.meta.dirname}/watchdog.sh`;
const PATIENCE = 30_000;
const POLL = 10;

/** Collecting a server as garbage would close its watchdog's stdin, and so end it. */
const running = new Set<WatchedServer>();

/** A server that a watchdog process runs. */
export class WatchedServer implements Server {
  readonly host = "127.0.0.1";
  readonly #launch: Launch;
  readonly #watchdog: Deno.ChildProcess;
  readonly #orders: WritableStreamDefaultWriter<Uint8Array>;
  #isWatched = true;
  #stopped: Promise<void> | undefined;

  private constructor(launch: Launch) {
    this.#launch = launch;
    this.#watchdog = new Deno.Command("sh", {
      args: [
        WATCHDOG,
        launch.folder,
        launch.user === undefined
          ? ""
          : `${launch.user.uid}:${launch.user.gid}`,
        launch.signal,
        launch.shared ? String(Deno.pid) : "",
        ...launch.command,
      ],
      env: launch.env,
      stdin: "piped",
      stdout: "null",
      stderr: "null",
      // Signals for the starter's process group, such as Ctrl-C's, must not
      // reach the watchdog: it outlives the starter to clean up.
      detached: true,
    }).spawn();
    this.#watchdog.unref();
    this.#watchdog.status.then(() => this.#isWatched = false);
    running.add(this);
    this.#orders = this.#watchdog.stdin.getWriter();
  }

  /** Starts a server and waits until it serves. */
  static async start(launch: Launch): Promise<WatchedServer> {
    const server = new WatchedServer(launch);
    try {
      await server.#start();
    } catch (error) {
      await server.stop();
      throw error;
    }
    return server;
  }

  get url(): string {
    return this.#launch.url;
  }

  get #control(): string {
    return `${this.#launch.folder}/control`;
  }

  get port(): number {
    return this.#launch.port;
  }

  get password(): string {
    return this.#launch.password;
  }

  urlAt(port: number): string {
    return atPort(this.url, port);
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async kill(): Promise<void> {
    this.#checkOpen("kill");
    if (await this.#hasExited()) return;
    await this.#order("KILL");
    const deadline = Date.now() + PATIENCE;
    while (!await this.#hasExited()) await this.#pause(deadline, "end");
    await this.#launch.killed?.();
  }

  async restart(): Promise<void> {
    this.#checkOpen("restart");
    await this.kill();
    await this.#start();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #start(): Promise<void> {
    await Deno.remove(`${this.#control}/exited`).catch(ignoreNotFound);
    await this.#order("start");
    const deadline = Date.now() + PATIENCE;
    while (!await this.#launch.isReady()) {
      if (await this.#hasExited()) {
        throw new Error(
          `Cannot start ${this.#launch.name}: it ended: ${await this.#log()}`,
        );
      }
      await this.#pause(deadline, "start");
    }
  }

  async #stop(): Promise<void> {
    this.#watchdog.ref();
    await this.#order("stop");
    await this.#orders.close().catch(ignoreBrokenPipe);
    await this.#watchdog.status;
    running.delete(this);
  }

  #checkOpen(action: string): void {
    if (this.#stopped === undefined) return;
    throw new TypeError(
      `Cannot ${action} ${this.#launch.name}: it is stopped`,
    );
  }

  async #order(order: string): Promise<void> {
    await this.#orders.write(new TextEncoder().encode(`${order}\n`))
      .catch(ignoreBrokenPipe);
  }

  async #hasExited(): Promise<boolean> {
    if (!this.#isWatched) return true;
    const info = await Deno.stat(`${this.#control}/exited`)
      .catch(ignoreNotFound);
    return info !== undefined;
  }

  async #pause(deadline: number, action: string): Promise<void> {
    if (Date.now() > deadline) {
      throw new Error(
        `Cannot ${action} ${this.#launch.name}: ` +
          `it took longer than ${PATIENCE} ms: ${await this.#log()}`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, POLL));
  }

  async #log(): Promise<string> {
    const log = await Deno.readTextFile(`${this.#control}/log`)
      .catch(ignoreNotFound);
    return log === undefined
      ? `no log in ${this.#control}`
      : log.trim().slice(-2_000);
  }
}

/** Returns a server's URL with another port. */
export function atPort(url: string, port: number): string {
  const other = new URL(url);
  other.port = String(port);
  return other.href;
}

/** A watchdog that is gone has left nothing to order. */
function ignoreBrokenPipe(error: unknown): void {
  if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
}

function ignoreNotFound(error: unknown): undefined {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
