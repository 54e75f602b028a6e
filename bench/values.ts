/**
 * Keys and values like those of a server in the fediverse.
 *
 * @module
 */
import type { KvKey } from "../mod.ts";

/** The first revision: all have as many digits, so a value keeps its size. */
export const FIRST_REVISION = 1_000_000;

/** The key of an entry, as Fedify makes them. */
export function keyOf(space: string, i: number): KvKey {
  return [
    "_fedify",
    space,
    `https://social.example/users/user${i}#main-key`,
  ];
}

const templates = new Map<number, Record<string, unknown>>();

/**
 * A value that takes so many bytes as JSON. It differs from every other
 * revision, since a backend may skip the write of what is there already.
 */
export function valueOf(
  bytes: number,
  revision: number,
): Record<string, unknown> {
  let template = templates.get(bytes);
  if (template === undefined) {
    template = templateOf(bytes);
    templates.set(bytes, template);
  }
  return { ...template, revision };
}

/** As {@linkcode valueOf}, but nothing in it is shared with another value. */
export function separateValueOf(bytes: number, revision: number): unknown {
  return JSON.parse(JSON.stringify(valueOf(bytes, revision)));
}

function templateOf(bytes: number): Record<string, unknown> {
  const template: Record<string, unknown> = {
    revision: FIRST_REVISION,
    type: "Note",
    pad: "",
  };
  const items: unknown[] = [];
  // Objects within objects: a single long string would be too easy to copy.
  while (size(template) + 700 < bytes) {
    template.items = items;
    items.push(note(items.length));
  }
  if (bytes < size(template)) {
    throw new RangeError(`a value takes ${size(template)} bytes or more`);
  }
  template.pad = "x".repeat(bytes - size(template));
  return template;
}

function size(value: unknown): number {
  return JSON.stringify(value).length;
}

function note(i: number): unknown {
  const id = `https://social.example/users/user${i}/statuses/1139${i}`;
  return {
    id,
    type: "Note",
    summary: null,
    published: "2026-05-04T10:20:30Z",
    url: id.replace("/users/", "/@"),
    attributedTo: `https://social.example/users/user${i}`,
    to: ["https://www.w3.org/ns/activitystreams#Public"],
    cc: [`https://social.example/users/user${i}/followers`],
    sensitive: false,
    content: "<p>A post of about the usual length, with a link to nowhere.</p>",
    tag: [{ type: "Hashtag", name: "#fediverse" }],
    replies: { id: `${id}/replies`, type: "Collection", totalItems: i },
  };
}
