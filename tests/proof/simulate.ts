// Generates the history of a store on one key, with or without a fault.
import type { HistoryCall, State } from "../../proof/history_types.ts";
import type { Planted } from "../../proof/plant.ts";
import { between, oneOf, type Random } from "../../proof/random.ts";

/** A fault of the store. */
export type Bug = Planted;

/** What to generate. */
export interface SimulateOptions {
  readonly calls: number;
  readonly bug?: Bug;
}

interface Planned {
  readonly call: Omit<HistoryCall, "outcome" | "invoked" | "responded">;
  readonly outcome: HistoryCall["outcome"];
  readonly invoked: number;
  /** When it takes effect: `Infinity` for never. */
  point: number;
  /** When the value is read that a faulty `cas` compares. */
  readonly compared: number;
  readonly responded: number;
}

const NAMES = ["get", "get", "set", "cas", "cas", "delete", "list"] as const;

/** Generates the calls of three clients, which make bursts of unawaited calls. */
export function simulate(
  random: Random,
  { calls, bug }: SimulateOptions,
): HistoryCall[] {
  const planned: Planned[] = [];
  for (const client of ["a", "b", "c"]) {
    planned.push(...planClient(client, random, Math.ceil(calls / 3)));
  }
  if (bug === "reordered-pair") swapPairs(planned, random);
  return execute(planned, random, bug);
}

function planClient(client: string, random: Random, calls: number): Planned[] {
  const planned: Planned[] = [];
  let time = random() * 10;
  while (planned.length < calls) {
    const size = between(random, 1, 6);
    // The calls of a burst take effect in their order.
    let point = time;
    let end = time;
    for (let i = 0; i < size; i++) {
      const order = planned.length;
      const chance = random();
      const outcome = chance < 0.9
        ? "ok"
        : chance < 0.95
        ? "unknown"
        : "rejected";
      const compared = point + random() * 2;
      const applied = compared + random() * 2;
      if (outcome === "ok") point = applied;
      const responded = applied + random() * 5;
      end = Math.max(end, responded);
      planned.push({
        call: {
          client,
          order,
          key: "k",
          name: oneOf(random, NAMES),
          value: `${client}${order}`,
          ...(random() < 0.3 ? { ttl: between(random, 1, 12) } : {}),
        },
        outcome,
        invoked: time,
        compared,
        point: outcome === "ok"
          ? applied
          : outcome === "unknown" && random() < 0.6
          ? applied + random() * 40
          : Infinity,
        responded: outcome === "ok" ? responded : Infinity,
      });
    }
    // A pause shows whether an entry expires.
    time = end + random() * (random() < 0.2 ? 60 : 2);
  }
  return planned;
}

/** Lets two successive writes of one burst take effect in the wrong order. */
function swapPairs(planned: readonly Planned[], random: Random): void {
  for (const [index, first] of planned.entries()) {
    const second = planned[index + 1];
    if (
      second === undefined || first.invoked !== second.invoked ||
      first.outcome !== "ok" || second.outcome !== "ok" ||
      first.call.client !== second.call.client ||
      first.call.name !== "set" || random() < 0.5
    ) continue;
    [first.point, second.point] = [second.point, first.point];
  }
}

function execute(
  planned: readonly Planned[],
  random: Random,
  bug: Bug | undefined,
): HistoryCall[] {
  const history: HistoryCall[] = [];
  /** The states and since when each was there. */
  const states: { since: number; state: State }[] = [
    { since: -1, state: null },
  ];
  let expiry = Infinity;
  for (const it of planned.toSorted((a, b) => a.point - b.point)) {
    const { call: { name, value = null, ttl = Infinity }, outcome, point } = it;
    const isHit = random() < 0.2;
    if (expiry <= point) {
      states.push({ since: expiry, state: null });
      expiry = Infinity;
    }
    const state = states.at(-1)!.state;
    const past = oneOf(random, states as [typeof states[number]]).state;
    const expected = random() < 0.7 ? state : past;
    const compared = bug === "unchecked-cas"
      ? states.findLast(({ since }) => since <= it.compared)!.state
      : state;
    let result: HistoryCall["result"];
    let after = state;
    if (name === "set") after = value;
    if (name === "delete") after = null;
    if (name === "cas") {
      result = compared === expected;
      if (result) after = value;
    }
    if (name === "get") {
      result = state;
      if (bug === "stale-read" && isHit) result = past;
      if (bug === "torn-value" && isHit) result = `half of ${state}`;
    }
    if (bug === "lost-write" && name === "set" && isHit) after = state;
    const isSeen = state !== null && bug !== "short-list";
    if (point < Infinity && after !== state) {
      states.push({ since: point, state: after });
      const isLong = after === null || bug === "long-life";
      expiry = isLong ? Infinity : point + ttl;
    }
    history.push({
      ...it.call,
      ...(name === "list"
        ? { key: "", entries: isSeen ? [["k", state]] : [] }
        : {}),
      outcome,
      invoked: it.invoked,
      responded: it.responded,
      ...(name === "cas" ? { expected } : {}),
      ...(result === undefined || outcome !== "ok" ? {} : { result }),
    });
  }
  return history;
}
