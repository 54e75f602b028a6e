// The lines of the README, and a Fedify server that keeps what it needs in SQLite.
import { createFederation, generateCryptoKeyPair } from "@fedify/fedify";
import { Person } from "@fedify/vocab";
import { MemoryKvStore } from "@org/kv";
import { openKv } from "@org/kv/open";
import { deepStrictEqual as equal, ok } from "node:assert";
import { createServer } from "node:http";
import process from "node:process";

const kv = new MemoryKvStore();
await kv.set(["users", "alice"], { born: new Date("1990-01-01") });
await kv.set(["sessions", "x1"], "alice", { ttl: 3_600_000 });
equal(await kv.get(["sessions", "x1"]), "alice");
ok(await kv.cas(["locks", "mail"], undefined, "me", { ttl: 60_000 }));
for await (const { key, value } of kv.list(["users"])) {
  equal(key, ["users", "alice"]);
  equal(value, { born: new Date("1990-01-01") });
}

const store = await openKv("sqlite:server.db");
const pair = await generateCryptoKeyPair("Ed25519");
const federation = createFederation({ kv: store, allowPrivateAddress: true });
federation
  .setActorDispatcher("/users/{identifier}", async (context, identifier) => {
    const [key] = await context.getActorKeyPairs(identifier);
    const visits = await store.get(["visits"]) ?? 0;
    await store.set(["visits"], visits + 1);
    return new Person({
      id: context.getActorUri(identifier),
      preferredUsername: identifier,
      assertionMethods: [key.multikey],
    });
  })
  .setKeyPairsDispatcher(() => [pair]);

const server = createServer(async (request, response) => {
  const url = `http://${request.headers.host}${request.url}`;
  const { accept } = request.headers;
  const answer = await federation.fetch(
    new Request(url, { headers: { accept } }),
    { contextData: undefined },
  );
  response.writeHead(answer.status, Object.fromEntries(answer.headers));
  response.end(await answer.text());
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const { port } = server.address();
const answer = await fetch(`http://127.0.0.1:${port}/users/alice`, {
  headers: { accept: "application/activity+json" },
});
equal(answer.status, 200);
equal((await answer.json()).preferredUsername, "alice");
equal(await store.get(["visits"]), 1);

// What Fedify keeps: that an activity was received.
ok(await store.cas(["_fedify", "received"], undefined, true, { ttl: 60_000 }));
await store[Symbol.asyncDispose]();
console.log("ok");
process.exit(0);
