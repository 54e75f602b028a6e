// The checker accepts every correct history and rejects every planted violation.
import { assert, assertEquals } from "@std/assert";
import { check, expired } from "../../proof/check.ts";
import { eventsOf, type HistoryEvent } from "../../proof/events.ts";
import type {
  CallName,
  HistoryCall,
  Outcome,
  State,
} from "../../proof/history_types.ts";
import { between, oneOf, type Random, randomOf } from "../../proof/random.ts";
import { type Bug, simulate } from "./simulate.ts";

/** Lets one client make calls one after another, of one millisecond each. */
function sequence(
  ...calls: readonly Partial<HistoryCall>[]
): HistoryCall[] {
  return calls.map((call, order) => ({
    client: "a",
    order,
    key: "k",
    name: "get",
    outcome: "ok",
    invoked: 10 * order,
    responded: 10 * order + 1,
    ...call,
  }));
}

const set = (value: State) => ({ name: "set", value }) as const;
const get = (result: State) => ({ name: "get", result }) as const;
const remove = { name: "delete" } as const;
const cas = (expected: State, value: State, result: boolean) =>
  ({ name: "cas", expected, value, result }) as const;
const list = (...entries: [key: string, token: string][]) =>
  ({ name: "list", key: "", entries }) as const;
const unknown = { outcome: "unknown", responded: Infinity } as const;

const CORRECT: Record<string, HistoryCall[]> = {
  "an empty history": [],
  "calls one after another": sequence(
    get(null),
    set("1"),
    get("1"),
    cas("2", "3", false),
    cas("1", "4", true),
    get("4"),
    remove,
    cas(null, "5", true),
    cas("5", null, true),
    get(null),
  ),
  "a read of either value during a write": sequence(
    set("1"),
    { ...set("2"), invoked: 20, responded: 60 },
    { ...get("1"), client: "b", invoked: 30, responded: 31 },
    { ...get("2"), client: "b", invoked: 40, responded: 41 },
  ),
  "an unknown write that takes effect late": sequence(
    set("1"),
    { ...set("2"), ...unknown },
    get("1"),
    set("3"),
    get("2"),
  ),
  "an unknown write that never takes effect": sequence(
    set("1"),
    { ...set("2"), ...unknown },
    get("1"),
    get("1"),
  ),
  "unknown writes that nobody sees but a swap": sequence(
    set("1"),
    { ...set("2"), ...unknown },
    { ...set("3"), ...unknown },
    cas("1", "4", false),
    set("5"),
    cas("5", "6", false),
    get("3"),
  ),
  "an unknown swap that succeeded": sequence(
    { ...cas(null, "1", true), ...unknown },
    get("1"),
  ),
  "a rejected write": sequence({ ...set("1"), outcome: "rejected" }, get(null)),
  "lists one after another": sequence(
    list(),
    set("1"),
    list(["k", "1"]),
    { ...set("2"), key: "l" },
    list(["k", "1"], ["l", "2"]),
    remove,
    list(["l", "2"]),
  ),
  "a list that sees one of two changes during it": sequence(
    set("1"),
    { ...list(["l", "2"]), client: "b", invoked: 20, responded: 50 },
    { ...set("2"), key: "l", invoked: 30, responded: 31 },
    { ...remove, invoked: 40, responded: 41 },
  ),
  "a list that was rejected": sequence(
    set("1"),
    { ...list(), outcome: "rejected" },
  ),
  "an entry that expires": sequence(
    { ...set("1"), ttl: 15 },
    get("1"),
    get(null),
    cas(null, "2", true),
  ),
  "an expiry that another write prevents": sequence(
    { ...set("1"), ttl: 15 },
    set("2"),
    get("2"),
  ),
  "an entry that expires while it is being written": sequence(
    { ...set("1"), ttl: 5, responded: 50 },
    { ...get("1"), client: "b", invoked: 40, responded: 41 },
    { ...get(null), invoked: 60, responded: 61 },
  ),
  "an unknown write that takes effect late and expires": sequence(
    { ...set("1"), ttl: 5, ...unknown },
    get(null),
    get("1"),
    get(null),
  ),
  "a swap that began before the expiry that others have seen": sequence(
    { ...set("1"), ttl: 5 },
    { ...cas("1", "2", true), client: "b", invoked: 4, responded: 40 },
    { ...get(null), invoked: 20, responded: 21 },
    get("2"),
  ),
  "a list that leaves out an entry about to expire": sequence(
    { ...set("1"), ttl: 15 },
    { ...list(), invoked: 10, responded: 14 },
    { ...get("1"), invoked: 14.1, responded: 14.2 },
  ),
};

const WRONG: Record<string, HistoryCall[]> = {
  "a lost write": sequence(set("1"), set("2"), get("1")),
  "a stale read": sequence(set("1"), get("1"), set("2"), get("2"), get("1")),
  "a torn value": sequence(set("1"), get("torn")),
  "a swap that two clients won": [
    ...sequence(set("1"), { ...cas("1", "2", true), responded: 40 }),
    ...sequence(
      { ...cas("1", "3", true), client: "b", invoked: 12, responded: 40 },
      get("3"),
    ),
  ],
  "a swap that failed though its value was there": sequence(
    set("1"),
    cas("1", "2", false),
  ),
  "a swap that succeeded though its value was not there": sequence(
    set("1"),
    cas("2", "3", true),
  ),
  "a pair of one client in the wrong order": sequence(
    { ...set("1"), invoked: 0, responded: 50 },
    { ...set("2"), invoked: 0, responded: 50 },
    { ...get("1"), invoked: 60, responded: 61 },
  ),
  "a rejected write that was applied": sequence(
    { ...set("1"), outcome: "rejected" },
    get("1"),
  ),
  "an unknown write that was applied twice": sequence(
    { ...set("1"), ...unknown },
    get("1"),
    set("2"),
    get("2"),
    get("1"),
  ),
  "a write that was seen before it was made": sequence(get("1"), set("1")),
  "a deleted entry that came back": sequence(
    set("1"),
    remove,
    get(null),
    get("1"),
  ),
  "a list that left out an entry": sequence(set("1"), list()),
  "a list that left out what its own client had set": sequence(
    { ...set("1"), invoked: 0, responded: 50 },
    { ...list(), invoked: 1, responded: 60 },
  ),
  "a list with an entry that was gone": sequence(
    set("1"),
    remove,
    list(["k", "1"]),
  ),
  "a list with an entry that did not exist yet": sequence(
    list(["k", "1"]),
    set("1"),
  ),
  "a list with an entry of nobody": sequence(set("1"), list(["k", "2"])),
  "an entry that expired early": sequence({ ...set("1"), ttl: 100 }, get(null)),
  "an entry that outlived its TTL": sequence({ ...set("1"), ttl: 5 }, get("1")),
  "a swap that saw an entry after its expiry": sequence(
    { ...set("1"), ttl: 5 },
    cas("1", "2", true),
  ),
  "a swap that began in time, of an entry that another client has written": [
    ...sequence(
      { ...set("1"), ttl: 5 },
      get(null),
      { ...set("2"), invoked: 20, responded: 21 },
    ),
    ...sequence(
      { ...cas("1", "3", true), client: "b", invoked: 4, responded: 40 },
      { ...get("3"), client: "b", invoked: 50, responded: 51 },
    ),
  ],
  "an entry that outlived the TTL of a swap": sequence(
    { ...cas(null, "1", true), ttl: 5 },
    get("1"),
  ),
  "an unknown write that expired early": sequence(
    { ...set("1"), ttl: 100, ...unknown },
    get("1"),
    get(null),
  ),
  "an entry that came back after its expiry": sequence(
    { ...set("1"), ttl: 15 },
    get(null),
    get("1"),
  ),
  "a list with an entry that had expired": sequence(
    { ...set("1"), ttl: 5 },
    list(["k", "1"]),
  ),
};

for (const [name, history] of Object.entries(CORRECT)) {
  Deno.test(`check() accepts ${name}`, () => {
    assertEquals(check(history), []);
  });
}

for (const [name, history] of Object.entries(WRONG)) {
  Deno.test(`check() rejects ${name}`, () => {
    assertEquals(check(history).length, 1);
  });
}

Deno.test("check() accepts 3,000 generated correct histories", () => {
  for (let seed = 0; seed < 3_000; seed++) {
    const history = simulate(randomOf(seed), { calls: 20 + seed % 30 });
    assertEquals(check(history), [], `seed ${seed}`);
  }
});

const BUGS: readonly Bug[] = [
  "unchecked-cas",
  "lost-write",
  "stale-read",
  "torn-value",
  "reordered-pair",
  "long-life",
  "short-list",
];

for (const bug of BUGS) {
  Deno.test(`check() rejects generated histories with the fault ${bug}`, () => {
    let found = 0;
    for (let seed = 0; seed < 200; seed++) {
      const history = simulate(randomOf(seed), { calls: 60, bug });
      if (check(history).length > 0) found++;
    }
    // Most faults leave no trace in so few calls, but none stays hidden.
    assert(found > 10, `found in ${found} of 200`);
  });
}

Deno.test("check() agrees with trying every order, on 20,000 small histories", () => {
  const counts = { right: 0, wrong: 0 };
  for (let seed = 0; seed < 20_000; seed++) {
    const history = anyHistory(randomOf(seed));
    const isRight = isExplained(history);
    counts[isRight ? "right" : "wrong"]++;
    assertEquals(check(history).length === 0, isRight, `seed ${seed}`);
  }
  assert(counts.right > 2_000 && counts.wrong > 2_000, JSON.stringify(counts));
});

/** Generates up to six calls with arbitrary answers. */
function anyHistory(random: Random): HistoryCall[] {
  const tokens: [State, ...State[]] = [null, "0", "1", "2", "3"];
  return Array.from({ length: between(random, 1, 6) }, (_, order) => {
    const name = oneOf<CallName>(random, [
      "get",
      "set",
      "set",
      "cas",
      "cas",
      "delete",
      "list",
    ]);
    const outcome = oneOf<Outcome>(random, ["ok", "ok", "unknown", "rejected"]);
    const invoked = between(random, 0, 12);
    const isShort = name !== "list" && random() < 0.3;
    const seen = oneOf(random, tokens);
    return {
      client: oneOf(random, ["a", "b"]),
      order,
      key: name === "list" ? "" : "k",
      name,
      ...(isShort ? { ttl: between(random, 1, 8) } : {}),
      ...(name === "list"
        ? { entries: seen === null ? [] : [["k", seen]] }
        : {}),
      value: `${order}`,
      expected: oneOf(random, tokens),
      result: name === "cas" ? random() < 0.5 : oneOf(random, tokens),
      outcome,
      invoked,
      responded: outcome === "ok" ? invoked + between(random, 0, 8) : Infinity,
    };
  });
}

/** Tries every order of every choice of the unknown writes, by definition. */
function isExplained(history: readonly HistoryCall[]): boolean {
  function search(left: readonly HistoryEvent[], state: State): boolean {
    if (!left.some(({ outcome }) => outcome === "ok")) return true;
    return left.some((call) => {
      const rest = left.filter((it) => it !== call);
      const mayBeNext = rest.every((other) =>
        other.outcome !== "ok" ||
        other.responded >= call.invoked &&
          !((other.client === call.client || other.client === call.follows) &&
            other.order < call.order)
      );
      if (!mayBeNext) return false;
      const after = apply(call, state);
      return after !== undefined && search(rest, after);
    });
  }
  return search(
    eventsOf(history).filter(({ outcome, name }) =>
      outcome === "ok" || outcome === "unknown" && name !== "get"
    ),
    null,
  );
}

function apply(call: HistoryEvent, state: State): State | undefined {
  const { name, value = null, expected = null, result, outcome } = call;
  const visible = state?.startsWith(expired("")!) ? null : state;
  if (name === "set") return value;
  if (name === "delete") return null;
  if (name === "get") return result === visible ? state : undefined;
  if (name === "expire") return state === expected ? expired(expected) : state;
  // One that began before the expiry may be applied or not.
  const isLate = call.beganInTime && state === expired(expected);
  if (isLate && (outcome === "unknown" || result === true)) return value;
  const matches = visible === expected;
  if (outcome === "ok" && matches !== result) return undefined;
  return matches ? value : state;
}
