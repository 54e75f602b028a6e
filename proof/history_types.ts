/** What a history consists of: calls with their outcomes. */

/** The names of the calls that a history contains. */
export type CallName = "get" | "set" | "delete" | "cas" | "list";

/** How a call ended. */
export type Outcome =
  /** It resolved. */
  | "ok"
  /** It changed nothing. */
  | "rejected"
  /** A write that may have been applied, or may still be, or never. */
  | "unknown";

/**
 * A call and its outcome. Values are stood for by tokens: each written value has
 * its own, and no entry is `null`.
 */
export interface HistoryCall {
  /** The store that made the call. Its calls on one key keep their order. */
  readonly client: string;
  /** The place of the call among those of its client. */
  readonly order: number;
  /** The key; of a `list`, the prefix of all keys. */
  readonly key: string;
  /** What was called. */
  readonly name: CallName;
  /** What `set` and `cas` write. */
  readonly value?: string | null;
  /** What `cas` expects. */
  readonly expected?: string | null;
  /** How long the entry that `set` or `cas` writes lives, in milliseconds. */
  readonly ttl?: number;
  /** What `get` or `cas` resolved to. */
  readonly result?: string | boolean | null;
  /** The keys and tokens that `list` yielded. */
  readonly entries?: readonly (readonly [key: string, token: string])[];
  /** How it ended. */
  readonly outcome: Outcome;
  /** When it was made, in milliseconds of the common clock. */
  readonly invoked: number;
  /** When it settled: `Infinity` for a write of unknown outcome. */
  readonly responded: number;
}

/** The state of an entry: the token of its value, or `null`. */
export type State = string | null;
