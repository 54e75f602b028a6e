/**
 * The events of a history: its calls on single keys, what its lists saw of each
 * key, and the expiries of its entries.
 *
 * @module
 */
import type { HistoryCall } from "./history_types.ts";

/** What takes effect on one key at some time from `invoked` to `responded`. */
export interface HistoryEvent extends Omit<HistoryCall, "name" | "entries"> {
  readonly name: "get" | "set" | "delete" | "cas" | "expire";
  /** The client whose calls before `order` take effect first. */
  readonly follows?: string;
  /**
   * Whether a `cas` was made before the entry that it expects expired. It may
   * have looked at the clock then, and be applied when other clients already see
   * no entry, unless one of them has written another.
   */
  readonly beganInTime?: boolean;
}

/** How far an expiry may be from a TTL: what whole milliseconds leave out. */
const ROUNDING = 1;

/** Returns the events of a history, in any order. */
export function eventsOf(history: readonly HistoryCall[]): HistoryEvent[] {
  const writes = history.filter(({ name }) => name !== "list") as (
    & HistoryCall
    & HistoryEvent
  )[];
  const expiries = writes.flatMap(expiryOf);
  const latest = new Map(
    expiries.map(({ expected, responded }) => [expected, responded]),
  );
  const calls = writes.map((call): HistoryEvent => {
    const expiry = call.name === "cas" ? latest.get(call.expected) : undefined;
    if (expiry === undefined || call.invoked > expiry) return call;
    return { ...call, beganInTime: true };
  });
  const byKey = Map.groupBy(calls, ({ key }) => key);
  const lists = history.filter(({ name, outcome }) =>
    name === "list" && outcome === "ok"
  );
  return [
    ...calls,
    ...expiries,
    ...lists.flatMap((list) => readsOf(list, byKey)),
  ];
}

/**
 * The end of an entry with a TTL. If the write is of unknown outcome, so is the
 * expiry; otherwise it happens, but changes nothing if there is another value.
 */
function expiryOf(call: HistoryEvent): HistoryEvent[] {
  const { client, order, key, value, ttl, result, outcome } = call;
  const isWritten = outcome === "unknown" ||
    outcome === "ok" && result !== false;
  if (ttl === undefined || value === null || !isWritten) return [];
  return [{
    client: `${client} #${order} expiry`,
    order: order + 0.5,
    key,
    name: "expire",
    expected: value!,
    outcome,
    invoked: call.invoked + ttl - ROUNDING,
    responded: call.responded + ttl + ROUNDING,
    follows: client,
  }];
}

/**
 * What a list saw of each key: an entry that it left out was missing at some time
 * during the list, or about to expire.
 */
function readsOf(
  list: HistoryCall,
  byKey: ReadonlyMap<string, readonly HistoryEvent[]>,
): HistoryEvent[] {
  const { client, order, outcome, invoked, responded } = list;
  const seen = new Map(list.entries);
  const keys = new Set([...byKey.keys(), ...seen.keys()]);
  return [...keys].flatMap((key): HistoryEvent[] => {
    const result = seen.get(key) ?? null;
    const isExpiring = byKey.get(key)?.some((write) =>
      mayExpireAbout(write, list)
    );
    if (result === null && isExpiring) return [];
    return [{
      client: `${client} #${order} list`,
      order,
      key,
      name: "get",
      result,
      outcome,
      invoked,
      responded,
      follows: client,
    }];
  });
}

/** Whether a written entry may expire during a list, or a round trip later. */
function mayExpireAbout(
  { ttl, invoked, responded }: HistoryEvent,
  list: HistoryCall,
): boolean {
  const roundTrip = list.responded - list.invoked;
  return ttl !== undefined && invoked <= list.responded &&
    invoked + ttl - ROUNDING <= list.responded + roundTrip &&
    responded + ttl + ROUNDING >= list.invoked;
}
