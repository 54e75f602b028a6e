// The actor and inbox of the worker's Fedify server.
import { createFederationBuilder } from "@fedify/fedify";
import {
  Accept,
  Create,
  Endpoints,
  Follow,
  Note,
  Person,
  Undo,
} from "@fedify/vocab";
import { addFollower, removeFollower } from "./followers.ts";
import { loadKeyPairs } from "./keys.ts";
import { addNote } from "./notes.ts";
import type { Store } from "./store.ts";

/** What the dispatchers and listeners need of a request. */
export interface ContextData {
  readonly kv: Store;
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
    // A shared inbox receives whatever others send: is it this actor they mean?
    const actor = context.getActorUri(NAME);
    if (follow.id === null || follow.objectId?.href !== actor.href) return;
    const follower = await follow.getActor(context);
    if (follower?.id == null || follower.inboxId === null) return;
    if (!await addFollower(context.data.kv, follower.id)) return;
    await context.sendActivity(
      { identifier: NAME },
      follower,
      new Accept({
        id: new URL(`#accepts/${crypto.randomUUID()}`, actor),
        actor,
        object: follow.id,
        published: Temporal.Now.instant(),
      }),
    );
  })
  .on(Undo, async (context, undo) => {
    const follow = await undo.getObject(context);
    if (!(follow instanceof Follow) || undo.actorId === null) return;
    // Only the follower can undo it.
    if (follow.actorId?.href !== undo.actorId.href) return;
    if (follow.objectId?.href !== context.getActorUri(NAME).href) return;
    await removeFollower(context.data.kv, undo.actorId);
  })
  .on(Create, async (context, create) => {
    if (create.actorId === null) return;
    const note = await create.getObject(context);
    if (!(note instanceof Note)) return;
    if (note.attributionId?.href !== create.actorId.href) return;
    const content = note.content?.toString() ?? "";
    await addNote(context.data.kv, create.actorId, content);
  });
