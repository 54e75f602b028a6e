// The actor and inbox of the worker's Fedify server.
import { createFederationBuilder, type KvStore } from "@fedify/fedify";
import { Accept, Create, Endpoints, Follow, Note, Person } from "@fedify/vocab";
import { loadKeyPairs } from "./keys.ts";

/** What the dispatchers and listeners need of a request. */
export interface ContextData {
  readonly kv: KvStore;
}

/** The one actor of this server. */
const NAME = "bob";

/** The server, but for what comes with a request. */
export const builder = createFederationBuilder<ContextData>();

builder
  .setActorDispatcher("/users/{identifier}", async (context, identifier) => {
    if (identifier !== NAME) return null;
    const keys = await context.getActorKeyPairs(identifier);
    return new Person({
      id: context.getActorUri(identifier),
      preferredUsername: identifier,
      inbox: context.getInboxUri(identifier),
      endpoints: new Endpoints({ sharedInbox: context.getInboxUri() }),
      publicKey: keys[0]!.cryptographicKey,
      assertionMethods: keys.map((key) => key.multikey),
    });
  })
  .setKeyPairsDispatcher((context, identifier) =>
    identifier === NAME ? loadKeyPairs(context.data.kv) : []
  );

builder
  .setInboxListeners("/users/{identifier}/inbox", "/inbox")
  .on(Follow, async (context, follow) => {
    const follower = await follow.getActor(context);
    if (follower?.id == null) return;
    await context.data.kv.set(["followers", follower.id.href], {
      inbox: follower.inboxId?.href,
    });
    await context.sendActivity(
      { identifier: NAME },
      follower,
      new Accept({
        id: new URL(
          `#accepts/${crypto.randomUUID()}`,
          context.getActorUri(NAME),
        ),
        actor: context.getActorUri(NAME),
        object: follow.id,
        published: Temporal.Now.instant(),
      }),
    );
  })
  .on(Create, async (context, create) => {
    const note = await create.getObject(context);
    if (!(note instanceof Note)) return;
    const received = [new Date().toISOString(), crypto.randomUUID()] as const;
    await context.data.kv.set(["notes", ...received], {
      from: create.actorId?.href,
      content: note.content?.toString(),
    });
  });
