/**
 * Executing the operations of a batch: attempts, and what follows from answers.
 *
 * @module
 */

import type { KvCall, KvCasCall } from "../core/call.ts";
import { pause } from "../core/retry.ts";
import { KvOutcomeUnknownError } from "../errors.ts";
import type { Answer, Query, Text } from "./query.ts";
import {
  isMissingTable,
  isServerError,
  isTransient,
  isUnknown,
  UnexpectedAnswer,
} from "./errors.ts";
import {
  type Kind,
  kindOf,
  type Operation,
  operationOf,
  parametersOf,
  statementsOf,
} from "./operations.ts";
import type { PostgresStatements } from "./sql.ts";

/** How often an operation is attempted that the server rejects due to others. */
const MAX_ATTEMPTS = 50;

/** What operations are executed with. */
export interface Table {
  /** Runs a statement. */
  readonly query: Query;
  /** The statements on the table. */
  readonly statements: PostgresStatements;
  /** Whether the caller's transaction is open, which no error leaves intact. */
  isInTransaction(): boolean;
  /** Creates the table again if it was dropped. */
  restore(): Promise<void>;
}

/** Executes a batch of calls. */
export function executeBatch(
  table: Table,
  calls: readonly KvCall<string>[],
): Promise<void> {
  if (calls.length === 1) {
    const call = calls[0]!;
    return execute(table, kindOf(call), [operationOf(call)]);
  }
  const executions = statementsOf(calls).map(([kind, operations]) =>
    execute(table, kind, operations)
  );
  return Promise.all(executions).then(() => {});
}

/** Executes operations of one kind by one statement, and settles their calls. */
function execute(
  table: Table,
  kind: Kind,
  operations: readonly Operation[],
  attempt = 0,
): Promise<void> {
  const { single, batch } = table.statements[kind];
  return table.query(
    operations.length === 1 ? single : batch,
    parametersOf(kind, operations),
  ).then(
    (answer) => answered(table, kind, operations, attempt, answer),
    (error) => failed(table, kind, operations, attempt, error),
  );
}

function answered(
  table: Table,
  kind: Kind,
  operations: readonly Operation[],
  attempt: number,
  answer: Answer,
): void | Promise<void> {
  if (!fits(kind, operations, answer)) {
    return failed(table, kind, operations, attempt, new UnexpectedAnswer());
  }
  const { rows } = answer;
  switch (kind) {
    case "read":
      for (let i = 0; i < operations.length; i++) {
        const { call } = operations[i]!;
        const stored = rows[i]![0] ?? undefined;
        if (call.kind === "get") call.found(stored);
        else if (call.kind === "cas") call.resolve(stored === undefined);
      }
      return;
    case "set":
    case "delete":
      for (const { call } of operations) {
        if (call.kind === "set" || call.kind === "delete") call.resolve();
      }
      return;
    case "create": {
      const created = new Set(rows.map(([key]) => key));
      for (const { call, key } of operations) {
        if (call.kind === "cas") call.resolve(created.has(key));
      }
      return;
    }
    default:
      return compared(table, kind, operations, attempt, rows);
  }
}

/** Whether an answer is one to the statement. */
function fits(
  kind: Kind,
  operations: readonly Operation[],
  { rows, count }: Answer,
): boolean {
  const { length } = operations;
  switch (kind) {
    case "read":
      return rows.length === length && rows.every((row) => row.length === 1);
    case "set":
      return rows.length === 0 && Number(count) === length;
    case "delete":
      return rows.length === 0 && Number(count) >= 0 && count !== null;
    case "create": {
      const keys = new Set<Text | undefined>(operations.map(({ key }) => key));
      return Number(count) === rows.length &&
        rows.every(([key]) => keys.delete(key));
    }
    default: {
      const numbers = new Set(rows.map(([number]) => Number(number)));
      return rows.length === length && numbers.size === length &&
        rows.every(([number, done]) =>
          operations[Number(number) - 1] !== undefined &&
          (done === "true" || done === "false")
        );
    }
  }
}

/**
 * Settles swaps. Where the row holds another form of what is expected, or held
 * what is expected until another call was faster, the swap is attempted again.
 */
async function compared(
  table: Table,
  kind: Kind,
  operations: readonly Operation[],
  attempt: number,
  rows: Answer["rows"],
): Promise<void> {
  const undecided: Promise<void>[] = [];
  for (const [number, done, value] of rows) {
    const operation = operations[Number(number) - 1]!;
    const call = operation.call as KvCasCall<string>;
    const stored = value ?? undefined;
    if (done === "true") {
      call.resolve(true);
    } else if (stored === undefined || !matches(call, stored)) {
      if (!call.settled) call.resolve(false);
    } else {
      const error = new Error("other calls keep changing the entry");
      undecided.push(
        again(table, kind, { ...operation, expected: stored }, attempt, error),
      );
    }
  }
  await Promise.all(undecided);
}

function matches(call: KvCasCall<string>, stored: string): boolean {
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
  const mayRepeat = !table.isInTransaction();
  const isFirst = attempt === 0;
  if (mayRepeat && isFirst && kind === "read" && isUnknown(error)) {
    return await execute(table, kind, operations, 1);
  }
  if (mayRepeat && isFirst && isMissingTable(error)) {
    try {
      await table.restore();
    } catch (error) {
      for (const { call } of operations) call.reject(error);
      return;
    }
    return await execute(table, kind, operations, 1);
  }
  if (mayRepeat && operations.length > 1 && isServerError(error)) {
    await Promise.all(
      operations.map((operation) => execute(table, kind, [operation])),
    );
    return;
  }
  if (mayRepeat && isTransient(error)) {
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
