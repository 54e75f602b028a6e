// The notes that followers sent: a few of each, for a limited time.
import { isFollower } from "./followers.ts";
import type { Store } from "./store.ts";

const MAX_LENGTH = 10_000;
const MAX_NOTES = 20;
const LIFETIME = 7 * 24 * 60 * 60 * 1000;
const MAX_SHOWN = 100;

/** A note that a follower sent. */
export interface ReceivedNote {
  readonly from: string;
  /** HTML that another server wrote: sanitize it before you show it. */
  readonly content: string;
}

/** Stores a note of a follower in place of their oldest one. */
export async function addNote(
  kv: Store,
  actor: URL,
  content: string,
): Promise<void> {
  if (content.length > MAX_LENGTH || !await isFollower(kv, actor)) return;
  const notes = await Array.fromAsync(kv.keys(["notes", actor.href]));
  const old = notes.slice(0, Math.max(0, notes.length - MAX_NOTES + 1));
  await Promise.all(old.map(({ key }) => kv.delete(key)));
  const received = [new Date().toISOString(), crypto.randomUUID()] as const;
  const note: ReceivedNote = { from: actor.href, content };
  await kv.set(["notes", actor.href, ...received], note, { ttl: LIFETIME });
}

/**
 * Answers a request for the notes, which only the owner of the actor may read:
 * with the token that `wrangler secret put NOTES_TOKEN` sets.
 */
export async function serveNotes(
  request: Request,
  kv: Store,
  token: string | undefined,
): Promise<Response> {
  if (token === undefined) return new Response("Not found", { status: 404 });
  const given = request.headers.get("Authorization") ?? "";
  if (!await areEqual(given, `Bearer ${token}`)) {
    return new Response("Unauthorized", {
      status: 401,
      headers: { "WWW-Authenticate": "Bearer" },
    });
  }
  const notes = await Array.fromAsync(kv.list(["notes"], { limit: MAX_SHOWN }));
  return Response.json(notes.map(({ value }) => value), {
    headers: { "Cache-Control": "no-store" },
  });
}

/** Compares digests, so that the time taken tells nothing about the token. */
async function areEqual(a: string, b: string): Promise<boolean> {
  const [first, second] = await Promise.all([a, b].map(digest));
  return first === second;
}

async function digest(text: string): Promise<string> {
  const bytes = new TextEncoder().encode(text);
  const hash = await crypto.subtle.digest("SHA-256", bytes);
  return new Uint8Array(hash).join();
}
