// One Fedify server of the demo, on a loopback port.
import {
  type Context,
  createExponentialBackoffPolicy,
  createFederation,
  type Federation,
  InProcessMessageQueue,
  type KvStore,
} from "@fedify/fedify";
import {
  Accept,
  type Actor,
  Create,
  Endpoints,
  Follow,
  Note,
  Person,
  PUBLIC_COLLECTION,
  Undo,
} from "@fedify/vocab";
import { type Identity, loadIdentity } from "./identity.ts";
import { waitFor } from "./steps.ts";

/** What other servers have asked of a server. */
export interface RequestCounts {
  webfinger: number;
  /** Actor documents; they hold the public keys too. */
  actor: number;
  other: number;
}

/** An activity that arrived in an inbox. */
export interface Delivery {
  /** The request, for it to be sent again. */
  readonly request: Request;
  readonly activity: Record<string, unknown>;
  /** The status that it was answered with. */
  readonly status: number;
}

interface Followee {
  readonly actor: string;
  readonly accepted: boolean;
}

interface Follower {
  readonly actor: string;
  readonly inbox: string;
}

/** A longer note is not stored. */
const MAX_NOTE_LENGTH = 10_000;

/** For how long a note is stored. */
const NOTE_LIFETIME = Temporal.Duration.from({ hours: 24 });

/** A server with one actor. All that it has to remember is in its store. */
export class FederationServer implements AsyncDisposable {
  readonly name: string;
  readonly identity: Identity;
  readonly requests: RequestCounts = {
    webfinger: 0,
    actor: 0,
    other: 0,
  };
  /** How many times the listener for notes was called. */
  notesHandled = 0;
  /** What arrived in the inbox, once it is answered. */
  readonly deliveries: Delivery[] = [];
  /** Why outgoing deliveries failed. */
  readonly outboxErrors: Error[] = [];

  readonly #kv: KvStore;
  readonly #closeStore: () => void | Promise<void>;
  readonly #federation: Federation<void>;
  readonly #http: Deno.HttpServer<Deno.NetAddr>;
  readonly #stopping = new AbortController();
  readonly #queue: Promise<void>;
  #stopped: Promise<void> | undefined;

  private constructor(
    name: string,
    identity: Identity,
    kv: KvStore,
    closeStore: () => void | Promise<void>,
    port: number,
  ) {
    this.name = name;
    this.identity = identity;
    this.#kv = kv;
    this.#closeStore = closeStore;
    this.#federation = createFederation<void>({
      kv,
      // Fedify's circuit breaker, which swaps, works on queued deliveries only.
      queue: { outbox: new InProcessMessageQueue() },
      manuallyStartQueue: true,
      outboxRetryPolicy: createExponentialBackoffPolicy({
        initialDelay: { milliseconds: 200 },
        maxDelay: { seconds: 1 },
      }),
      circuitBreaker: { recoveryDelay: { seconds: 1 } },
      onOutboxError: (error) => void this.outboxErrors.push(error),
      allowPrivateAddress: true,
    });
    this.#setActor();
    this.#setInbox();
    this.#setFollowers();
    this.#http = Deno.serve(
      { hostname: "127.0.0.1", port, onListen() {} },
      (request) => this.#serve(request),
    );
    this.#queue = this.#federation.startQueue(undefined, {
      signal: this.#stopping.signal,
    });
  }

  /** Starts a server; with port 0 on a free port. */
  static async start(
    name: string,
    kv: KvStore,
    closeStore: () => void | Promise<void>,
    port: number,
  ): Promise<FederationServer> {
    const identity = await loadIdentity(kv);
    // Between a stop and a start anyone may borrow the port for a connection.
    return await waitFor(`port ${port} to be free for ${name}`, () => {
      try {
        return new FederationServer(name, identity, kv, closeStore, port);
      } catch (error) {
        if (error instanceof Deno.errors.AddrInUse) return undefined;
        throw error;
      }
    });
  }

  get port(): number {
    return this.#http.addr.port;
  }

  get origin(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** The address that people know, which WebFinger resolves. */
  get profile(): string {
    return `${this.origin}/@${this.name}`;
  }

  get context(): Context<void> {
    return this.#federation.createContext(new URL(this.origin), undefined);
  }

  get actorUri(): string {
    return this.context.getActorUri(this.name).href;
  }

  /** Asks for someone to be followed; returns the id of the activity. */
  async follow(actor: Actor): Promise<string> {
    const id = `${this.origin}/follows/${crypto.randomUUID()}`;
    const followee: Followee = { actor: actor.id!.href, accepted: false };
    await this.#kv.set(["demo", "following", id], followee);
    await this.context.sendActivity(
      { identifier: this.name },
      actor,
      new Follow({
        id: new URL(id),
        actor: new URL(this.actorUri),
        object: actor.id,
      }),
    );
    return id;
  }

  /** Takes back a request to follow someone. */
  async unfollow(id: string, actor: Actor): Promise<void> {
    await this.context.sendActivity(
      { identifier: this.name },
      actor,
      new Undo({
        id: new URL(`${this.origin}/undos/${crypto.randomUUID()}`),
        actor: new URL(this.actorUri),
        object: new Follow({
          id: new URL(id),
          actor: new URL(this.actorUri),
          object: actor.id,
        }),
      }),
    );
    await this.#kv.delete(["demo", "following", id]);
  }

  /** Whether the one to be followed has accepted. */
  async isFollowing(id: string): Promise<boolean> {
    const followee = await this.#kv.get<Followee>(["demo", "following", id]);
    return followee?.accepted === true;
  }

  /** Sends a note; returns the id of the activity. */
  async post(content: string, to: Actor | "followers"): Promise<string> {
    const note = new URL(`${this.origin}/notes/${crypto.randomUUID()}`);
    const id = new URL("#create", note);
    const actor = new URL(this.actorUri);
    const recipient = to === "followers" ? PUBLIC_COLLECTION : to.id;
    const activity = new Create({
      id,
      actor,
      to: recipient,
      object: new Note({
        id: note,
        attribution: actor,
        to: recipient,
        content,
        published: Temporal.Now.instant(),
      }),
    });
    if (to === "followers") {
      await this.context.sendActivity(
        { identifier: this.name },
        "followers",
        activity,
      );
    } else {
      await this.context.sendActivity({ identifier: this.name }, to, activity);
    }
    return id.href;
  }

  /** The text of the note that an activity brought, if it was stored. */
  async storedNote(activity: string): Promise<string | undefined> {
    return await this.#kv.get<string>(["demo", "notes", activity]);
  }

  /** Stops listening, lets running work end, and closes the store. */
  stop(): Promise<void> {
    return this.#stopped ??= this.#stop();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all([this.#http.shutdown(), this.#queue]);
    await this.#closeStore();
  }

  #setActor(): void {
    this.#federation
      .setActorDispatcher(
        "/users/{identifier}",
        async (context, identifier) => {
          if (identifier !== this.name) return null;
          const keys = await context.getActorKeyPairs(identifier);
          return new Person({
            id: context.getActorUri(identifier),
            preferredUsername: identifier,
            url: new URL(this.profile),
            inbox: context.getInboxUri(identifier),
            endpoints: new Endpoints({ sharedInbox: context.getInboxUri() }),
            followers: context.getFollowersUri(identifier),
            publicKey: keys[0]!.cryptographicKey,
            assertionMethods: keys.map((key) => key.multikey),
          });
        },
      )
      .setKeyPairsDispatcher((_context, identifier) => {
        return identifier === this.name ? this.identity.keyPairs : [];
      })
      .mapAlias((_context, resource) => {
        return resource.href === this.profile
          ? { identifier: this.name }
          : null;
      });
  }

  #setInbox(): void {
    this.#federation
      .setInboxListeners("/users/{identifier}/inbox", "/inbox")
      .on(Follow, async (context, follow) => {
        if (follow.objectId?.href !== this.actorUri) return;
        const actor = await follow.getActor(context);
        if (actor?.id == null || actor.inboxId == null) return;
        const follower: Follower = {
          actor: actor.id.href,
          inbox: actor.inboxId.href,
        };
        await this.#kv.set(["demo", "followers", follower.actor], follower);
        await context.sendActivity(
          { identifier: this.name },
          actor,
          new Accept({
            id: new URL(`${this.origin}/accepts/${crypto.randomUUID()}`),
            actor: new URL(this.actorUri),
            object: follow.id,
          }),
        );
      })
      .on(Undo, async (context, undo) => {
        const follow = await undo.getObject(context);
        if (!(follow instanceof Follow) || undo.actorId === null) return;
        // Only the follower can undo it.
        if (follow.actorId?.href !== undo.actorId.href) return;
        if (follow.objectId?.href !== this.actorUri) return;
        await this.#kv.delete(["demo", "followers", undo.actorId.href]);
      })
      .on(Accept, async (_context, accept) => {
        if (accept.objectId == null) return;
        const key = ["demo", "following", accept.objectId.href] as const;
        const followee = await this.#kv.get<Followee>(key);
        if (followee == null || followee.actor !== accept.actorId?.href) return;
        await this.#kv.set(key, { ...followee, accepted: true });
      })
      .on(Create, async (context, create) => {
        this.notesHandled++;
        const note = await create.getObject(context);
        if (create.id == null || !(note instanceof Note)) return;
        if (note.attributionId?.href !== create.actorId?.href) return;
        const content = note.content?.toString() ?? "";
        if (content.length > MAX_NOTE_LENGTH) return;
        await this.#kv.set(["demo", "notes", create.id.href], content, {
          ttl: NOTE_LIFETIME,
        });
      });
  }

  #setFollowers(): void {
    this.#federation.setFollowersDispatcher(
      "/users/{identifier}/followers",
      async () => {
        const items = [];
        for await (const { value } of this.#kv.list(["demo", "followers"])) {
          const { actor, inbox } = value as Follower;
          items.push({ id: new URL(actor), inboxId: new URL(inbox) });
        }
        return { items };
      },
    );
  }

  async #serve(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (request.method === "POST") return await this.#serveInbox(request);
    if (pathname === "/.well-known/webfinger") this.requests.webfinger++;
    else if (pathname === new URL(this.actorUri).pathname) {
      this.requests.actor++;
    } else this.requests.other++;
    return await this.#federation.fetch(request, { contextData: undefined });
  }

  async #serveInbox(original: Request): Promise<Response> {
    const { url, method, headers } = original;
    const body = await original.text();
    const request = new Request(url, { method, headers, body });
    const response = await this.#federation.fetch(request.clone(), {
      contextData: undefined,
    });
    const { status } = response;
    this.deliveries.push({ request, activity: JSON.parse(body), status });
    return response;
  }
}
