/**
 * The entries of one kind that a subject holds while it is measured.
 *
 * @module
 */
import type { KvKey } from "../mod.ts";
import { load, type Subject } from "./subject.ts";
import { FIRST_REVISION, valueOf } from "./values.ts";

/** Far from one to the next, so that consecutive calls touch keys far apart. */
const STRIDE = 7919;

/** What entries are to be there. */
export interface FieldOptions {
  /** The number of entries. */
  readonly entries: number;
  /** The size of the values, in bytes of JSON. */
  readonly bytes: number;
  /** The key of each entry. */
  keyOf(i: number): KvKey;
  /** Whether the entries have a TTL. */
  readonly expires?: boolean;
}

/** The entries of one kind in one subject. */
export class Field {
  /** Whose they are. */
  readonly subject: Subject;
  /** The size of the values, in bytes of JSON. */
  readonly bytes: number;
  /** The keys, in the form that the subject takes. */
  readonly keys: readonly unknown[];
  /** Which revision each entry holds. */
  readonly revisions: Uint32Array;
  #last = FIRST_REVISION;
  #turn = 0;

  /** Makes a field whose entries are still to be loaded. */
  constructor(subject: Subject, { entries, bytes, keyOf }: FieldOptions) {
    this.subject = subject;
    this.bytes = bytes;
    this.keys = Array.from(
      { length: entries },
      (_, i) => subject.toKey(keyOf(i)),
    );
    this.revisions = new Uint32Array(entries);
  }

  /** Loads entries into a subject. */
  static async load(subject: Subject, options: FieldOptions): Promise<Field> {
    const field = new Field(subject, options);
    for (let i = 0; i < options.entries; i += 5_000) {
      await load(
        subject,
        field.keys.slice(i, i + 5_000).map((key, j) => ({
          key,
          value: valueOf(options.bytes, field.nextRevision(i + j)),
          expires: options.expires ?? false,
        })),
      );
    }
    return field;
  }

  /** The index of the next entry to touch. */
  next(): number {
    this.#turn = (this.#turn + STRIDE) % this.keys.length;
    return this.#turn;
  }

  /** A revision that no entry had, and that the entry gets now. */
  nextRevision(i: number): number {
    this.revisions[i] = ++this.#last;
    return this.#last;
  }
}
