// The checker accepts every correct history and rejects every planted violation.
import { assert, assertEquals } from "@std/assert";
import { check } from "../../proof/check.ts";
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
      "cas",
      "cas",
      "delete",
    ]);
    const outcome = oneOf<Outcome>(random, ["ok", "ok", "unknown", "rejected"]);
    const invoked = between(random, 0, 12);
    return {
      client: oneOf(random, ["a", "b"]),
      order,
      key: "k",
      name,
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
  function search(left: readonly HistoryCall[], state: State): boolean {
    if (!left.some(({ outcome }) => outcome === "ok")) return true;
    return left.some((call) => {
      const rest = left.filter((it) => it !== call);
      const mayBeNext = rest.every((other) =>
        other.outcome !== "ok" ||
        other.responded >= call.invoked &&
          !(other.client === call.client && other.order < call.order)
      );
      if (!mayBeNext) return false;
      const after = apply(call, state);
      return after !== undefined && search(rest, after);
    });
  }
  return search(
    history.filter(({ outcome, name }) =>
      outcome === "ok" || outcome === "unknown" && name !== "get"
    ),
    null,
  );
}

function apply(call: HistoryCall, state: State): State | undefined {
  const { name, value = null, expected = null, result, outcome } = call;
  if (name === "set") return value;
  if (name === "delete") return null;
  if (name === "get") return result === state ? state : undefined;
  const matches = state === expected;
  if (outcome === "ok" && matches !== result) return undefined;
  return matches ? value : state;
}
