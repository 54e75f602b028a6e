/**
 * Executing the operations of a batch: attempts, and what follows from answers.
 *
 * @module
 */

import type { Buffer } from "../core/builtin.ts";
import type { KvCall, KvCasCall } from "../core/call.ts";
import { pause } from "../core/retry.ts";
import { KvOutcomeUnknownError } from "../errors.ts";
import {
  type Answer,
  type Parameter,
  type Query,
  queryTwice,
} from "./client.ts";
import {
  isMissingTable,
  isServerError,
  isTransient,
  isUnknown,
  UnexpectedAnswer,
} from "./errors.ts";
import {
  comparand,
  isDigest,
  type Kind,
  kindOf,
  lifeOf,
  type Limits,
  type Operation,
  operationOf,
  padded,
  partsOf,
  statementsOf,
  tooLarge,
} from "./operations.ts";
import { type MysqlStatements, TAG_UNIT, TAGS } from "./sql.ts";

/** How often an operation is attempted that the server rejects due to others. */
const MAX_ATTEMPTS = 50;

/** What operations are executed with. */
export interface Table {
  /** Runs a statement. */
  readonly query: Query;
  /** The statements on the table. */
  readonly statements: MysqlStatements;
  /** What limits the statements. */
  readonly limits: Limits;
  /** Creates the table again if it was dropped. */
  restore(): Promise<void>;
}

/** Executes a batch of calls. */
export function executeBatch(
  table: Table,
  calls: readonly KvCall<Uint8Array>[],
): Promise<void> {
  // The codec makes buffers.
  const operable = calls as readonly KvCall<Buffer>[];
  if (operable.length === 1) {
    const call = operable[0]!;
    return execute(table, kindOf(call), [operationOf(call, table.limits)]);
  }
  const executions = statementsOf(operable, table.limits).map(
    ([kind, operations]) => execute(table, kind, operations),
  );
  return Promise.all(executions).then(() => {});
}

/** Executes operations of one kind by one statement, and settles their calls. */
async function execute(
  table: Table,
  kind: Kind,
  operations: readonly Operation[],
  attempt = 0,
): Promise<void> {
  if (operations.length === 1) {
    const error = tooLarge(operations[0]!, table.limits);
    if (error !== undefined) return operations[0]!.call.rejectValue(error);
  }
  const tag = nextTag();
  let answer: Answer;
  try {
    answer = await run(table, kind, operations, tag);
    if (
      kind === "swap" && operations.length > 1 &&
      countBits(bitsOf(answer, tag)) !== answer.affectedRows
    ) throw new UnexpectedAnswer();
  } catch (error) {
    return await failed(table, kind, operations, attempt, error);
  }
  await answered(table, kind, operations, attempt, answer, tag);
}

let tags = Math.floor(Math.random() * TAGS);

/** A number that no statement had lately, and never 0. */
function nextTag(): number {
  tags = tags % (TAGS - 1) + 1;
  return tags * TAG_UNIT;
}

function bitsOf({ insertId }: Answer, tag: number): number {
  return insertId >= tag && insertId < tag + TAG_UNIT ? insertId - tag : 0;
}

function hasBit(bits: number, bit: number): boolean {
  return Math.floor(bits / 2 ** bit) % 2 === 1;
}

function countBits(bits: number): number {
  return bits.toString(2).replaceAll("0", "").length;
}

function run(
  { query, statements }: Table,
  kind: Kind,
  operations: readonly Operation[],
  tag: number,
): Promise<Answer> {
  const all = operations.length === 1 ? operations : padded(operations);
  const first = all[0]!;
  const keys = all.map(({ key }) => key);
  const rows = () =>
    all.flatMap((operation): Parameter[] => [
      operation.key,
      ...valueOf(operation),
      operation.fullKey,
      ...lifeOf(operation.call),
    ]);
  const valueOf = ({ call }: Operation) => partsOf(call.value!);
  const life = lifeOf(first.call);
  const { value } = first.call;
  // A value in several parts travels alone.
  const parts = value === undefined ? 1 : partsOf(value).length;
  switch (kind) {
    case "read":
    case "delete":
      return query(statements.of(kind, all.length), keys);
    case "set":
      return query(statements.of(kind, all.length, parts), rows());
    case "create":
      return query(
        statements.of(kind, all.length, parts),
        [...rows(), tag, tag],
      );
    case "remove":
      return query(
        statements.of(isDigest(first) ? "removeDigest" : "remove", 1),
        [first.key, comparand(first)],
      );
    case "swap":
      if (all.length === 1) {
        return query(
          statements.of(isDigest(first) ? "swapDigest" : "swap", 1, parts),
          [
            ...[...life, ...life, ...valueOf(first), ...life],
            ...[first.key, comparand(first)],
          ],
        );
      }
      return query(
        statements.of("swaps", all.length),
        [
          ...[tag, tag, ...keys, ...life, ...life],
          ...[...keys, ...all.map(({ call }) => call.value!), ...life],
          ...[...keys, ...keys, ...all.map(({ expected }) => expected!)],
        ],
      );
  }
}

async function answered(
  table: Table,
  kind: Kind,
  operations: readonly Operation[],
  attempt: number,
  answer: Answer,
  tag: number,
): Promise<void> {
  const bits = bitsOf(answer, tag);
  switch (kind) {
    case "read": {
      const values = valuesOf(answer);
      for (const { call, id } of operations) {
        const stored = values.get(id);
        if (call.kind === "get") call.found(stored);
        else if (call.kind === "cas") call.resolve(stored === undefined);
      }
      return;
    }
    case "set":
    case "delete":
      for (const { call } of operations) {
        if (call.kind === "set" || call.kind === "delete") call.resolve();
      }
      return;
    case "create":
      for (const [i, { call }] of operations.entries()) {
        if (call.kind === "cas") call.resolve(!hasBit(bits, i));
      }
      return;
    default: {
      const isSingle = operations.length === 1;
      const rest = operations.filter(({ call }, i) => {
        const made = isSingle ? answer.affectedRows > 0 : hasBit(bits, i);
        if (made && call.kind === "cas") call.resolve(true);
        return !made;
      });
      if (rest.length > 0) await compare(table, kind, rest, attempt);
    }
  }
}

function valuesOf({ rows }: Answer): Map<string, Buffer> {
  return new Map(rows.map(([key, value]) => [key!.toString(), value!]));
}

/**
 * Settles swaps that were not made. Where the row holds another form of what is
 * expected, or what is expected after all, the swap is attempted again.
 */
async function compare(
  table: Table,
  kind: Kind,
  operations: readonly Operation[],
  attempt: number,
): Promise<void> {
  const { query, statements } = table;
  const keys = padded(operations).map(({ key }) => key);
  let values: Map<string, Buffer>;
  try {
    const statement = statements.of("read", keys.length);
    values = valuesOf(await queryTwice(query, statement, keys));
  } catch (error) {
    for (const { call } of operations) call.reject(error);
    return;
  }
  const error = new Error("other calls keep changing the entry");
  await Promise.all(operations.map((operation) => {
    const call = operation.call as KvCasCall<Buffer>;
    const stored = values.get(operation.id);
    if (stored !== undefined && matches(call, stored)) {
      const next = { ...operation, expected: stored };
      return again(table, kind, next, attempt, error);
    }
    if (!call.settled) call.resolve(false);
    return undefined;
  }));
}

function matches(call: KvCasCall<Buffer>, stored: Buffer): boolean {
  try {
    return call.matches(stored);
  } catch (error) {
    call.reject(error);
    return false;
  }
}

/** Attempts again what may be attempted again, and rejects the rest. */
async function failed(
  table: Table,
  kind: Kind,
  operations: readonly Operation[],
  attempt: number,
  error: unknown,
): Promise<void> {
  const isFirst = attempt === 0;
  if (isFirst && kind === "read" && isUnknown(error)) {
    return await execute(table, kind, operations, 1);
  }
  if (isFirst && isMissingTable(error)) {
    try {
      await table.restore();
    } catch (error) {
      for (const { call } of operations) call.reject(error);
      return;
    }
    return await execute(table, kind, operations, 1);
  }
  if (operations.length > 1 && isServerError(error)) {
    await Promise.all(
      operations.map((operation) => execute(table, kind, [operation])),
    );
    return;
  }
  if (isTransient(error)) {
    return await again(table, kind, operations[0]!, attempt, error);
  }
  const Type = kind !== "read" && isUnknown(error)
    ? KvOutcomeUnknownError
    : undefined;
  for (const { call } of operations) call.reject(error, Type);
}

async function again(
  table: Table,
  kind: Kind,
  operation: Operation,
  attempt: number,
  error: unknown,
): Promise<void> {
  if (attempt === MAX_ATTEMPTS) return operation.call.reject(error);
  if (attempt > 0) await pause(Math.random() * Math.min(2 ** attempt, 64));
  await execute(table, kind, [operation], attempt + 1);
}
