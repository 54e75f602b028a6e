// The followers of the actor, as many as the server can serve.
import type { Store } from "./store.ts";

const MAX_FOLLOWERS = 1_000;

/** Adds a follower, unless there are too many. */
export async function addFollower(kv: Store, actor: URL): Promise<boolean> {
  if (await isFollower(kv, actor)) return true;
  if (await kv.count(["followers"]) >= MAX_FOLLOWERS) return false;
  await kv.set(["followers", actor.href], new Date().toISOString());
  return true;
}

/** Removes a follower, and what they sent. */
export async function removeFollower(kv: Store, actor: URL): Promise<void> {
  await kv.delete(["followers", actor.href]);
  await kv.clear(["notes", actor.href]);
}

/** Whether an actor is a follower. */
export async function isFollower(kv: Store, actor: URL): Promise<boolean> {
  return await kv.get(["followers", actor.href]) !== undefined;
}
