// The steps of the demo: deliver, restart, retry, and check what each server stored.
import type { KvStore } from "@fedify/fedify";
import { type Actor, isActor } from "@fedify/vocab";
import { CountingKvStore, Counts } from "./counting.ts";
import { storeTable } from "./report.ts";
import {
  type Delivery,
  FederationServer,
  type RequestCounts,
} from "./server.ts";
import { expectEqual, Steps, UnexpectedError, waitFor } from "./steps.ts";
import type { OpenStore } from "./stores.ts";

/** What the demo needs. */
export interface DemoOptions {
  readonly openStore: OpenStore;
  /** Where the progress goes, line by line. */
  readonly print: (text: string) => void;
  /** Ends the demo before its next step. */
  readonly signal: AbortSignal;
}

/**
 * Two servers federate, stop, start again on the same stores, and federate
 * once more.
 *
 * @throws {UnexpectedError} If anything is not as it should be.
 */
export async function runDemo(options: DemoOptions): Promise<void> {
  const { openStore, print, signal } = options;
  const steps = new Steps(print, signal);
  const counts = { alice: new Counts(), bob: new Counts() };
  await using running = new AsyncDisposableStack();

  /** How often a remote key or document was found in a store. */
  function cacheHits(): number {
    return [counts.alice, counts.bob]
      .map((it) =>
        it.of(["_fedify", "publicKey"]).hits +
        it.of(["_fedify", "remoteDocument"]).hits
      )
      .reduce((sum, hits) => sum + hits);
  }

  async function start(
    name: keyof typeof counts,
    port = 0,
  ): Promise<FederationServer> {
    const { kv, close } = await openStore(name);
    const counting = new CountingKvStore(kv, counts[name]);
    try {
      return running.use(
        await FederationServer.start(name, counting, close, port),
      );
    } catch (error) {
      await close();
      throw error;
    }
  }

  async function withStore(
    name: keyof typeof counts,
    use: (kv: KvStore) => Promise<void>,
  ): Promise<void> {
    const { kv, close } = await openStore(name);
    try {
      await use(kv);
    } finally {
      await close();
    }
  }

  let alice!: FederationServer;
  let bob!: FederationServer;
  await steps.run("Two servers start on empty stores", async () => {
    [alice, bob] = await Promise.all([start("alice"), start("bob")]);
    expectEqual("New key pairs for Alice", alice.identity.created, true);
    expectEqual("New key pairs for Bob", bob.identity.created, true);
    return `Alice at ${alice.origin}, Bob at ${bob.origin}, each with new keys`;
  });

  let remoteAlice!: Actor;
  await steps.run("Bob looks up Alice by WebFinger", async () => {
    const uri = await lookUpActor(bob, alice.profile);
    expectEqual("The link to the actor", uri, alice.actorUri);
    remoteAlice = await fetchActor(bob, uri);
    return `${alice.profile} leads to ${uri}`;
  });

  await steps.run("Bob follows Alice", async () => {
    const follow = await bob.follow(remoteAlice);
    await expectDelivery(alice, (it) => it.id === follow);
    await expectDelivery(bob, (it) => it.object === follow);
    expectEqual("Accepted", await bob.isFollowing(follow), true);
    return "his signed Follow was answered by her signed Accept";
  });

  let delivery!: Delivery;
  await steps.run("Alice sends her followers a note", async () => {
    const id = await alice.post("Hello, followers!", "followers");
    delivery = await expectNote(bob, id, "Hello, followers!");
    return "Bob's inbox verified its signatures and stored it";
  });

  await steps.run("The same signed note arrives again", async () => {
    const { status, text } = await send(delivery.request.clone());
    expectEqual("The answer's status", status, 202);
    expectEqual("Notes handled", bob.notesHandled, 1);
    return `handled once; Bob answered ${status}: ${text}`;
  });

  await steps.run(
    "The same signed note arrives with another text",
    async () => {
      const { url, method, headers } = delivery.request;
      const body = (await delivery.request.clone().text())
        .replace("Hello", "Goodbye").replaceAll("#create", "#forged");
      const forged = new Request(url, { method, headers, body });
      const { status, text } = await send(forged);
      expectEqual("The answer's status", status, 401);
      expectEqual("Notes handled", bob.notesHandled, 1);
      return `not handled; Bob answered ${status}: ${text}`;
    },
  );

  await steps.run("Bob sends Alice a note", async () => {
    const id = await bob.post("Hello, Alice!", remoteAlice);
    await expectNote(alice, id, "Hello, Alice!");
    return "Alice's inbox verified its signatures and stored it";
  });

  const before = { requests: requestsOf(alice, bob), hits: cacheHits() };
  await steps.run("Both servers stop", async () => {
    await Promise.all([alice.stop(), bob.stop()]);
    return `requests between them: ${describe(before.requests)}`;
  });

  let retried!: string;
  await steps.run("Alice starts again and sends a note", async () => {
    alice = await start("alice", alice.port);
    expectEqual("New key pairs for Alice", alice.identity.created, false);
    retried = await alice.post("Are you there, Bob?", "followers");
    await waitFor("a failed delivery", () => alice.outboxErrors.length > 0);
    return "Bob is down, so her server keeps it for a retry";
  });

  await steps.run("Bob starts again", async () => {
    bob = await start("bob", bob.port);
    expectEqual("New key pairs for Bob", bob.identity.created, false);
    await expectNote(bob, retried, "Are you there, Bob?");
    return "the retry arrived; he verified it with her key from his store";
  });

  await steps.run("The note from before the stop arrives again", async () => {
    const { status, text } = await send(delivery.request.clone());
    expectEqual("The answer's status", status, 202);
    expectEqual("Notes handled since the start", bob.notesHandled, 1);
    return `not handled again; Bob answered ${status}: ${text}`;
  });

  await steps.run("Bob sends Alice another note", async () => {
    const actor = await fetchActor(bob, alice.actorUri);
    const id = await bob.post("Here I am.", actor);
    await expectNote(alice, id, "Here I am.");
    return "her address and his key came from the stores, too";
  });

  await steps.run("Both servers stop again", async () => {
    await Promise.all([alice.stop(), bob.stop()]);
    const requests = requestsOf(alice, bob);
    expectEqual(
      "Requests after the restart",
      requests,
      { webfinger: 0, actor: 0, other: 0 },
    );
    const found = cacheHits() - before.hits;
    expectEqual("Some keys and actors came from the stores", found > 0, true);
    return `requests between them: ${describe(requests)}; ` +
      `${found} keys and actors came from the stores`;
  });

  await steps.run("Alice's store is opened once more", async () => {
    const circuit = ["_fedify", "circuit", new URL(bob.origin).host] as const;
    await withStore("alice", async (kv) => {
      expectEqual("Failures", await Array.fromAsync(kv.list(circuit)), []);
    });
    return "the failure that Fedify's circuit breaker swapped in is gone again";
  });

  for (const name of ["alice", "bob"] as const) {
    await withStore(name, async (kv) => {
      print(`\n${name}'s store\n${await storeTable(kv, counts[name])}`);
    });
  }
}

/**
 * Resolves the address of a profile. WebFinger asks for an `acct:` address over
 * HTTPS only, which these servers do not speak.
 */
async function lookUpActor(
  server: FederationServer,
  profile: string,
): Promise<string> {
  const descriptor = await server.context.lookupWebFinger(profile);
  const link = descriptor?.links?.find((link) => link.rel === "self");
  if (link?.href != null) return link.href;
  throw new UnexpectedError(
    `WebFinger of ${profile}: expected a link to the actor, ` +
      `got ${Deno.inspect(descriptor)}`,
  );
}

async function fetchActor(
  server: FederationServer,
  uri: string,
): Promise<Actor> {
  const object = await server.context.lookupObject(uri);
  if (object != null && isActor(object)) return object;
  throw new UnexpectedError(
    `Lookup of ${uri}: expected an actor, got ${Deno.inspect(object)}`,
  );
}

async function send(
  request: Request,
): Promise<{ status: number; text: string }> {
  const response = await fetch(request, {
    signal: AbortSignal.timeout(10_000),
  });
  return { status: response.status, text: await response.text() };
}

/** Waits for an activity, which must be signed and welcome. */
async function expectDelivery(
  server: FederationServer,
  matches: (activity: Delivery["activity"]) => boolean,
): Promise<Delivery> {
  const delivery = await waitFor(
    `a delivery to ${server.name}`,
    () => server.deliveries.find(({ activity }) => matches(activity)),
  );
  const { request, activity, status } = delivery;
  expectEqual(
    `The delivery to ${server.name}`,
    {
      status,
      signedRequest: request.headers.has("signature"),
      signedDocument: "signature" in activity && "proof" in activity,
    },
    { status: 202, signedRequest: true, signedDocument: true },
  );
  return delivery;
}

async function expectNote(
  server: FederationServer,
  id: string,
  content: string,
): Promise<Delivery> {
  const delivery = await expectDelivery(server, (it) => it.id === id);
  expectEqual("The stored note", await server.storedNote(id), content);
  return delivery;
}

function requestsOf(a: FederationServer, b: FederationServer): RequestCounts {
  return {
    webfinger: a.requests.webfinger + b.requests.webfinger,
    actor: a.requests.actor + b.requests.actor,
    other: a.requests.other + b.requests.other,
  };
}

function describe({ webfinger, actor, other }: RequestCounts): string {
  return `${webfinger} for WebFinger, ${actor} for actors and keys, ` +
    `${other} others`;
}
