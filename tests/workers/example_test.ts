// The example worker federates on real workerd.
import { assert, assertEquals } from "@std/assert";
import { isActor } from "@fedify/vocab";
import { FederationServer } from "../../examples/federation/server.ts";
import { waitFor } from "../../examples/federation/steps.ts";
import { MemoryKvStore } from "../../mod.ts";
import { unsanitized } from "../support/worker/suite.ts";
import { Workerd } from "../support/worker/workerd.ts";

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
      assertEquals(alice.outboxErrors, []);
    },
  });
}

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
    bindings: { STORE, ALLOW_PRIVATE_ADDRESS: "true" },
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
    async notes(): Promise<{ from: string; content: string }[]> {
      return await (await workerd.fetch(`${origin}/notes`)).json();
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
