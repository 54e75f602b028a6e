/**
 * A linearizability checker for the entries of a store.
 *
 * It searches for an order of the calls on one key that explains every answer
 * (Wing and Gong, 1993) and remembers what it has tried (Lowe, 2017). The order
 * respects real time, and the order in which each client made its calls on the
 * key. A rejected call is left out, because it changed nothing. A write of
 * unknown outcome may take effect at any time after it was made, or never. A
 * list is a read of each key, and the end of an entry with a TTL is an event
 * like a call.
 *
 * @module
 */
import { eventsOf, type HistoryEvent } from "./events.ts";
import type { HistoryCall, State } from "./history_types.ts";

/** What is wrong with the calls on one key. */
export interface Violation {
  /** The key. */
  readonly key: string;
  /** The events that no order explains, in the order in which they were made. */
  readonly calls: readonly HistoryEvent[];
  /** How many of the known calls the longest explanation covers. */
  readonly explained: number;
}

/**
 * Checks a history that starts with no entries.
 *
 * @param history The calls of all clients, in any order.
 * @returns A violation for each key whose answers no order of calls explains.
 */
export function check(history: readonly HistoryCall[]): Violation[] {
  const violations: Violation[] = [];
  for (const [key, calls] of Map.groupBy(eventsOf(history), ({ key }) => key)) {
    const explained = new Search(calls).run();
    if (explained === undefined) continue;
    violations.push({
      key,
      calls: calls.toSorted((a, b) => a.invoked - b.invoked),
      explained,
    });
  }
  return violations;
}

/** The known calls of one client on the key, in the order in which it made them. */
interface Lane {
  readonly calls: readonly HistoryEvent[];
  /** The earliest response among the calls from an index on. */
  readonly earliest: readonly number[];
  /** How many calls of another lane precede those of this one. */
  readonly gate?: { readonly lane: number; readonly calls: number };
}

/** A write of unknown outcome. */
interface Loose {
  readonly call: HistoryEvent;
  /** Its client's lane, and how many calls of it precede the write. */
  readonly lane: number;
  readonly after: number;
}

/** Writes of unknown outcome that can replace each other. */
type Pool = readonly Loose[];

/** A point of the search. */
interface Point {
  /** How many calls of each lane have taken effect. */
  readonly done: readonly number[];
  /** How many writes of each pool have taken effect. */
  readonly used: readonly number[];
  readonly state: State;
}

class Search {
  readonly #lanes: readonly Lane[];
  readonly #pools: readonly Pool[];
  /** The last call of each lane that needs a token to be there. */
  readonly #needs = new Map<State, number[]>();
  readonly #seen = new Set<string>();
  readonly #total: number;
  #explained = 0;

  constructor(calls: readonly HistoryEvent[]) {
    const known = calls.filter(({ outcome }) => outcome === "ok");
    const clients = [...new Set(calls.map(({ client }) => client))];
    this.#total = known.length;
    const byClient = Map.groupBy(known, ({ client }) => client);
    const preceding = (client: string, order: number) =>
      byClient.get(client)?.filter((it) => it.order < order).length ?? 0;
    this.#lanes = clients.map((client) => {
      const lane = laneOf(byClient.get(client) ?? []);
      const { follows, order = 0 } = lane.calls[0] ?? {};
      if (follows === undefined || !byClient.has(follows)) return lane;
      const gate = {
        lane: clients.indexOf(follows),
        calls: preceding(follows, order),
      };
      return { ...lane, gate };
    });
    for (const [lane, { calls }] of this.#lanes.entries()) {
      for (const [index, call] of calls.entries()) {
        const token = neededBy(call);
        if (token === undefined || token === null || call.beganInTime) continue;
        const last = this.#needs.get(token) ?? clients.map(() => -1);
        this.#needs.set(token, last.with(lane, index));
      }
    }
    const loose = calls.filter(({ outcome, name }) =>
      outcome === "unknown" && name !== "get"
    );
    const observed = observedBy(calls);
    this.#pools = [
      ...Map.groupBy(
        loose.map((call): Loose => {
          const { client, order } = call;
          const lane = clients.indexOf(client);
          return { call, lane, after: preceding(client, order) };
        }),
        ({ call }) => poolOf(call, observed),
      ).values(),
    ];
  }

  /** Returns nothing, or how many calls the longest explanation covers. */
  run(): number | undefined {
    const start = {
      done: this.#lanes.map(() => 0),
      used: this.#pools.map(() => 0),
      state: null,
    };
    const stack: Point[] = [start];
    for (let point = stack.pop(); point !== undefined; point = stack.pop()) {
      const settled = this.#settle(point);
      const covered = settled.done.reduce((sum, count) => sum + count, 0);
      this.#explained = Math.max(this.#explained, covered);
      if (covered === this.#total) return undefined;
      const id = `${settled.done}|${settled.used}|${settled.state}`;
      if (this.#seen.has(id)) continue;
      this.#seen.add(id);
      stack.push(...this.#next(settled));
    }
    return this.#explained;
  }

  /** Lets all calls take effect that change nothing: no later point is better. */
  #settle({ done, used, state }: Point): Point {
    while (true) {
      const lane = this.#candidates(done).find(({ call }) =>
        !isBlind(call) && effectOf(call, state, call.result) === state
      )?.lane;
      if (lane === undefined) return { done, used, state };
      done = done.with(lane, done[lane]! + 1);
    }
  }

  /** Returns the calls that may be next, by time and by their clients' order. */
  #candidates(done: readonly number[]): { lane: number; call: HistoryEvent }[] {
    const limit = this.#limit(done);
    const candidates: { lane: number; call: HistoryEvent }[] = [];
    for (const [lane, { calls, gate }] of this.#lanes.entries()) {
      const call = calls[done[lane]!];
      if (call === undefined || call.invoked > limit) continue;
      if (gate !== undefined && done[gate.lane]! < gate.calls) continue;
      candidates.push({ lane, call });
    }
    return candidates;
  }

  /** The first response among the calls that have not taken effect. */
  #limit(done: readonly number[]): number {
    return this.#lanes.reduce(
      (least, { earliest }, lane) =>
        Math.min(least, earliest[done[lane]!] ?? Infinity),
      Infinity,
    );
  }

  /** Returns the points that one more write leads to; the likeliest come last. */
  #next({ done, used, state }: Point): Point[] {
    // Each token is written once, so it does not come back.
    const last = this.#needs.get(state);
    const isNeeded = last?.some((index, lane) => index >= done[lane]!) ?? false;
    const candidates = this.#candidates(done);
    const ready = this.#ready(done, used);
    const points: Point[] = [];
    for (const { call, pool } of ready) {
      const after = effectOf(call, state, true);
      if (after === undefined || after === state) continue;
      if (isNeeded && neededBy({ ...call, result: true }) !== state) continue;
      // A write that the next call does not depend on can take effect later.
      // But a swap of an entry that expires next cannot.
      const isUseful = candidates.some(({ call: next }) =>
        next.name === "expire"
          ? call.name === "cas"
          : !isBlind(next) && effectOf(next, after, next.result) !== undefined
      ) || ready.some(({ call: next }) =>
        (next.name === "cas" || next.name === "expire") &&
        (next.expected ?? null) === visible(after)
      );
      if (!isUseful) {
        continue;
      }
      points.push({
        done,
        used: used.with(pool, used[pool]! + 1),
        state: after,
      });
    }
    for (const { lane, call } of candidates) {
      const after = effectOf(call, state, call.result);
      if (after === undefined) continue;
      if (isNeeded && after !== state && neededBy(call) !== state) continue;
      points.push({
        done: done.with(lane, done[lane]! + 1),
        used,
        state: after,
      });
    }
    return points;
  }

  /** Returns a write of each pool that may take effect now. */
  #ready(
    done: readonly number[],
    used: readonly number[],
  ): { pool: number; call: HistoryEvent }[] {
    const limit = this.#limit(done);
    return this.#pools.entries().flatMap(([pool, writes]) => {
      const ready = writes.filter(({ call, lane, after }) =>
        call.invoked <= limit && done[lane]! >= after
      );
      // What is ready stays ready, so it does not matter which of them it is.
      return ready.length > used[pool]! ? [{ pool, call: ready[0]!.call }] : [];
    }).toArray();
  }
}

function laneOf(calls: readonly HistoryEvent[]): Lane {
  const sorted = calls.toSorted((a, b) => a.order - b.order);
  const earliest: number[] = [];
  for (let i = sorted.length - 1, least = Infinity; i >= 0; i--) {
    least = Math.min(least, sorted[i]!.responded);
    earliest[i] = least;
  }
  return { calls: sorted, earliest };
}

/** Whether a call writes whatever is there. */
function isBlind({ name }: HistoryEvent): boolean {
  return name === "set" || name === "delete";
}

/** The state of an entry that has expired, and was not written since. */
export function expired(token: State): State {
  return `${EXPIRED}${token}`;
}

const EXPIRED = "expired ";

function visible(state: State): State {
  return state?.startsWith(EXPIRED) ? null : state;
}

/** Returns the state after a call, or `undefined` if its result is impossible. */
function effectOf(
  { name, value = null, expected = null, beganInTime }: HistoryEvent,
  state: State,
  result: HistoryEvent["result"],
): State | undefined {
  switch (name) {
    case "get":
      return result === visible(state) ? state : undefined;
    case "set":
      return value;
    case "delete":
      return null;
    case "cas":
      if (result === true && beganInTime && state === expired(expected)) {
        return value;
      }
      if (result !== (visible(state) === expected)) return undefined;
      return result === true ? value : state;
    case "expire":
      return state === expected ? expired(expected) : state;
  }
}

/** The token that must be there for the answer of a call. */
function neededBy(
  { name, expected = null, result }: HistoryEvent,
): State | undefined {
  if (name === "get") return result as State;
  return name === "cas" && result === true ? expected : undefined;
}

/** The tokens that answers depend on. */
function observedBy(calls: readonly HistoryEvent[]): Set<State> {
  const observed = new Set<State>([null]);
  for (const { name, outcome, result, expected = null } of calls) {
    if (name === "cas" || name === "expire") observed.add(expected);
    if (name === "get" && outcome === "ok") observed.add(result as State);
  }
  return observed;
}

/**
 * Names the pool of a write. Two writes whose values nobody has seen differ in
 * nothing but what they expect.
 */
function poolOf(call: HistoryEvent, observed: ReadonlySet<State>): string {
  const { name, value = null, expected = null } = call;
  if (name === "expire") return `expires ${expected}`;
  const written = name === "delete" ? null : value;
  const effect = observed.has(written) ? `writes ${written}` : "writes";
  const time = call.beganInTime ? " in time" : "";
  return name === "cas" ? `${effect} over ${expected}${time}` : effect;
}
