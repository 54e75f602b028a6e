// The example worker federates on real workerd.
import { assert, assertEquals } from "@std/assert";
import { isActor } from "@fedify/vocab";
import { FederationServer } from "../../examples/federation/server.ts";
import { waitFor } from "../../examples/federation/steps.ts";
import { MemoryKvStore } from "../../mod.ts";
import { unsanitized } from "../support/worker/suite.ts";
import { Workerd } from "../support/worker/workerd.ts";

const NOTES_TOKEN = "a token of this test";

interface Config {
  readonly compatibility_date: string;
  readonly compatibility_flags: string[];
  readonly durable_objects: {
    readonly bindings: { name: string; class_name: string }[];
  };
}

for (const STORE of ["workers", "durable-object"]) {
  Deno.test({
    ...unsanitized,
    name: `the example worker federates, with its state in ${STORE}`,
    async fn() {
      await using bob = await startWorker(STORE);
      await using alice = await FederationServer.start(
        "alice",
        new MemoryKvStore(),
        () => {},
        0,
      );

      const resource = `acct:bob@${new URL(bob.origin).host}`;
      const webFinger = await fetch(
        `${bob.origin}/.well-known/webfinger?resource=${resource}`,
      );
      const { links } = await webFinger.json();
      const actorUri: string = links[0].href;
      assertEquals(actorUri, `${bob.origin}/users/bob`);

      const actor = await alice.context.lookupObject(actorUri);
      assert(isActor(actor));
      assertEquals(actor.preferredUsername, "bob");
      assertEquals(actor.inboxId?.href, `${actorUri}/inbox`);

      const follow = await alice.follow(actor);
      await waitFor(
        "the follow to be accepted",
        () => alice.isFollowing(follow),
      );

      await alice.post("Hello from outside!", actor);
      const delivery = await waitFor("the delivery", () => bob.deliveries[1]);
      assertEquals(delivery.status, 202);
      const again = await bob.deliver(delivery.request);
      assertEquals(again.status, 202);
      assertEquals(await bob.notes(), [
        { from: alice.actorUri, content: "Hello from outside!" },
      ]);

      const forged = await bob.deliver({
        ...delivery.request,
        body: delivery.request.body.replaceAll("Hello", "Howdy"),
      });
      assertEquals(forged.status, 401);
      await alice.post("Another one.", actor);
      const notes = await waitFor("another note", async () => {
        const notes = await bob.notes();
        return notes.length > 1 && notes;
      });
      assertEquals(notes.map(({ content }) => content), [
        "Hello from outside!",
        "Another one.",
      ]);
      for (const Authorization of ["", "Bearer", `Bearer ${NOTES_TOKEN}x`]) {
        const { status } = await bob.fetch("/notes", {
          headers: { Authorization },
        });
        assertEquals(status, 401);
      }

      const delivered = async (send: Promise<unknown>) => {
        const before = bob.deliveries.length;
        await send;
        await waitFor("a delivery", () => bob.deliveries.length > before);
      };
      await delivered(alice.post("x".repeat(20_000), actor));
      assertEquals((await bob.notes()).length, 2);
      await delivered(alice.unfollow(follow, actor));
      await delivered(alice.post("From nobody that follows.", actor));
      // Undoing the follow removed the notes, and none came since.
      assertEquals(await bob.notes(), []);
      assertEquals(alice.outboxErrors, []);
    },
  });
}

Deno.test({
  ...unsanitized,
  name:
    "the example worker accepts no follow of another actor, and no more notes than it keeps",
  async fn() {
    await using bob = await startWorker("durable-object");
    await using alice = await FederationServer.start(
      "alice",
      new MemoryKvStore(),
      () => {},
      0,
    );
    const actor = await alice.context.lookupObject(`${bob.origin}/users/bob`);
    assert(isActor(actor));
    const inbox = actor.clone({ id: new URL(`${bob.origin}/users/carol`) });
    const other = await alice.follow(inbox);
    await waitFor("the delivery", () => bob.deliveries[0]);
    await alice.post("From nobody that follows.", actor);
    await waitFor("another delivery", () => bob.deliveries[1]);
    assertEquals(await bob.notes(), []);
    assertEquals(await alice.isFollowing(other), false);

    const follow = await alice.follow(actor);
    await waitFor("the accept", () => alice.isFollowing(follow));
    for (let i = 0; i < 25; i++) {
      await alice.post(`Note ${i}`, actor);
      await waitFor(`note ${i}`, () => bob.deliveries[i + 3]);
    }
    assertEquals(
      (await bob.notes()).map(({ content }) => content),
      Array.from({ length: 20 }, (_, i) => `Note ${i + 5}`),
    );
  },
});

interface Signed {
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly body: string;
}

/** Starts the worker as `wrangler.jsonc` says, and listens for it. */
async function startWorker(STORE: string) {
  const folder = new URL("../../examples/worker/", import.meta.url);
  const text = await Deno.readTextFile(new URL("wrangler.jsonc", folder));
  const config: Config = JSON.parse(text.replaceAll(/^ *\/\/.*$/gm, ""));
  const workerd = await Workerd.start("examples/worker/worker.ts", {
    compatibilityDate: config.compatibility_date,
    compatibilityFlags: config.compatibility_flags,
    objects: Object.fromEntries(
      config.durable_objects.bindings.map((each) => [
        each.name,
        each.class_name,
      ]),
    ),
    bindings: { STORE, ALLOW_PRIVATE_ADDRESS: "true", NOTES_TOKEN },
  });
  const deliveries: { request: Signed; status: number }[] = [];
  const deliver = ({ url, headers, body }: Signed) =>
    workerd.fetch(url, { method: "POST", headers, body });
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    async ({ url, method, headers: given, body }) => {
      const headers = Object.fromEntries(given);
      if (method !== "POST") {
        return pass(await workerd.fetch(url, { headers }));
      }
      const request = { url, headers, body: await new Response(body).text() };
      const response = await deliver(request);
      deliveries.push({ request, status: response.status });
      return pass(response);
    },
  );
  const origin = `http://127.0.0.1:${server.addr.port}`;
  return {
    origin,
    deliveries,
    deliver,
    fetch: (path: string, init?: RequestInit) =>
      workerd.fetch(`${origin}${path}`, init),
    async notes(): Promise<{ from: string; content: string }[]> {
      const headers = { Authorization: `Bearer ${NOTES_TOKEN}` };
      return await (await workerd.fetch(`${origin}/notes`, { headers })).json();
    },
    async [Symbol.asyncDispose](): Promise<void> {
      await server.shutdown();
      await workerd[Symbol.asyncDispose]();
    },
  };
}

/** An answer that Miniflare gave, as one that Deno serves. */
async function pass(response: Response): Promise<Response> {
  const { status, headers } = response;
  return new Response(await response.text(), {
    status,
    headers: { "Content-Type": headers.get("Content-Type") ?? "text/plain" },
  });
}
