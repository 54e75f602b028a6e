/**
 * The operations that are measured in waves. Arguments are made before the
 * clock starts; what comes back is checked after it stops.
 *
 * @module
 */
import { Field } from "./field.ts";
import type { WaveOperationName } from "./operation_names.ts";
import type { Subject } from "./subject.ts";
import { keyOf, separateValueOf, valueOf } from "./values.ts";

/** Calls that are ready to be made. */
export interface Calls {
  /** Makes a call; they are made in the order of their numbers. */
  call(i: number): Promise<unknown>;
  /** Whether a call gave what it should. */
  isRight(result: unknown): boolean;
}

/** An operation. */
export interface Operation {
  /** The sizes of values that are worth measuring, in bytes. */
  readonly sizes: readonly number[];
  /** How many calls at once are worth measuring. */
  readonly atOnce: readonly number[];
  /** How many calls to prepare together, at least. */
  readonly chunk: number;
  /** Whether the subject can do it. */
  fits(subject: Subject): boolean;
  /** Loads the entries that are needed. */
  load(subject: Subject, bytes: number): Promise<Field>;
  /** Prepares calls. */
  prepare(field: Field, count: number): Calls;
}

const COMMON = {
  sizes: [100, 2_048, 40_960],
  atOnce: [1, 16, 256],
  chunk: 128,
  fits: () => true,
};

/** How many entries a listing gives. */
const LISTED = 100;

/** The operations that are measured in waves. */
export const operations: Readonly<Record<WaveOperationName, Operation>> = {
  "get": {
    ...COMMON,
    load: (subject, bytes) => loadField(subject, "get", bytes),
    prepare: prepareGet,
  },
  "get missing": {
    ...COMMON,
    sizes: [100],
    async load(subject, bytes) {
      await loadField(subject, "present", bytes);
      return new Field(subject, {
        entries: entriesOf(bytes),
        bytes,
        keyOf: (i) => keyOf("missing", i),
      });
    },
    prepare(field, count) {
      const calls = prepareGet(field, count);
      return { ...calls, isRight: (result) => !isFound(result) };
    },
  },
  "get with TTL": {
    ...COMMON,
    sizes: [100, 2_048],
    fits: (subject) => subject.setWithTtl !== undefined,
    load: (subject, bytes) => loadField(subject, "get-ttl", bytes, true),
    prepare: prepareGet,
  },
  "set": {
    ...COMMON,
    load: (subject, bytes) => loadField(subject, "set", bytes),
    prepare: prepareSet,
  },
  "set with TTL": {
    ...COMMON,
    sizes: [100, 2_048],
    fits: (subject) => subject.setWithTtl !== undefined,
    load: (subject, bytes) => loadField(subject, "set-ttl", bytes, true),
    prepare(field, count) {
      const { subject } = field;
      const writes = prepareWrites(field, count);
      return {
        call: (i) => subject.setWithTtl!(writes[i]!.key, writes[i]!.value),
        isRight: () => true,
      };
    },
  },
  "set among 100,000": {
    ...COMMON,
    sizes: [100],
    atOnce: [256],
    load: (subject, bytes) =>
      Field.load(subject, {
        entries: 100_000,
        bytes,
        keyOf: (i) => keyOf("many", i),
      }),
    prepare: prepareSet,
  },
  "cas": {
    ...COMMON,
    fits: (subject) => subject.cas !== undefined,
    load: (subject, bytes) => loadField(subject, "cas", bytes),
    prepare(field, count) {
      const { subject } = field;
      const swaps = Array.from({ length: count }, () => {
        const i = field.next();
        return {
          key: field.keys[i],
          expected: separateValueOf(field.bytes, field.revisions[i]!),
          value: valueOf(field.bytes, field.nextRevision(i)),
        };
      });
      return {
        call(i) {
          const { key, expected, value } = swaps[i]!;
          return subject.cas!(key, expected, value);
        },
        isRight: (result) => result === true,
      };
    },
  },
  "cas failing": {
    ...COMMON,
    sizes: [100],
    fits: (subject) => subject.cas !== undefined,
    load: (subject, bytes) => loadField(subject, "cas-failing", bytes),
    prepare(field, count) {
      const { subject } = field;
      const expected = separateValueOf(field.bytes, 0);
      const value = valueOf(field.bytes, 1);
      const keys = Array.from(
        { length: count },
        () => field.keys[field.next()],
      );
      return {
        call: (i) => subject.cas!(keys[i], expected, value),
        isRight: (result) => result === false,
      };
    },
  },
  "list": {
    ...COMMON,
    sizes: [100],
    atOnce: [1],
    chunk: 4,
    fits: (subject) => subject.list !== undefined,
    async load(subject, bytes) {
      await Field.load(subject, {
        entries: 100_000,
        bytes,
        keyOf: (i) => [...prefixOf(i % 1_000), `https://social.example/${i}`],
      });
      return new Field(subject, { entries: 1_000, bytes, keyOf: prefixOf });
    },
    prepare(field, count) {
      const { subject } = field;
      const prefixes = Array.from(
        { length: count },
        () => field.keys[field.next()],
      );
      return {
        call: (i) => subject.list!(prefixes[i]),
        isRight: (entries) => entries === LISTED,
      };
    },
  },
};

function prefixOf(group: number): [string, string, string] {
  return ["_fedify", "listed", `group${group}`];
}

function loadField(
  subject: Subject,
  operation: string,
  bytes: number,
  expires = false,
): Promise<Field> {
  return Field.load(subject, {
    entries: entriesOf(bytes),
    bytes,
    keyOf: (i) => keyOf(`${operation}-${bytes}`, i),
    expires,
  });
}

function entriesOf(bytes: number): number {
  return Math.min(10_000, Math.floor(24_000_000 / bytes));
}

function prepareGet(field: Field, count: number): Calls {
  const { subject } = field;
  const keys = Array.from({ length: count }, () => field.keys[field.next()]);
  return { call: (i) => subject.get(keys[i]), isRight: isFound };
}

function isFound(result: unknown): boolean {
  return (result as { type?: string } | undefined)?.type === "Note";
}

function prepareSet(field: Field, count: number): Calls {
  const { subject } = field;
  const writes = prepareWrites(field, count);
  return {
    call: (i) => subject.set(writes[i]!.key, writes[i]!.value),
    isRight: () => true,
  };
}

function prepareWrites(field: Field, count: number) {
  return Array.from({ length: count }, () => {
    const i = field.next();
    return {
      key: field.keys[i],
      value: valueOf(field.bytes, field.nextRevision(i)),
    };
  });
}
