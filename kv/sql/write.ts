/**
 * Executing the operations of a batch: attempts, and what follows from outcomes.
 *
 * @module
 */

import type { KvCall, KvCasCall } from "../core/call.ts";
import { pause } from "../core/retry.ts";
import { KvOutcomeUnknownError } from "../errors.ts";
import { isServerError, readTwice, type Triage } from "./errors.ts";
import {
  type Kind,
  kindOf,
  type Operation,
  operationOf,
  statementsOf,
} from "./operations.ts";
import type { Outcome, SqlTable } from "./table.ts";

/** How often an operation is attempted that the server rejects due to others. */
const MAX_ATTEMPTS = 50;

/** What operations are executed with. */
export interface Execution<Stored> {
  readonly table: SqlTable<Stored>;
  readonly triage: Triage;
  /** Whether the caller's transaction is open, which no error leaves intact. */
  isInTransaction(): boolean;
  /** Creates the table again if it was dropped. */
  restore(): Promise<unknown>;
}

/** Executes a batch of calls. */
export function executeBatch<Stored>(
  execution: Execution<Stored>,
  calls: readonly KvCall<Stored>[],
): Promise<void> {
  const { limits } = execution.table;
  if (calls.length === 1) {
    const call = calls[0]!;
    return execute(execution, kindOf(call), [operationOf(call, limits.keys)]);
  }
  const statements = statementsOf(calls, limits);
  return Promise.all(
    statements.map(([kind, operations]) =>
      execute(execution, kind, operations)
    ),
  ).then(() => {});
}

/** Executes operations of one kind by one statement, and settles their calls. */
function execute<Stored>(
  execution: Execution<Stored>,
  kind: Kind,
  operations: readonly Operation<Stored>[],
  attempt = 0,
): Promise<void> {
  const { table } = execution;
  if (operations.length === 1) {
    const error = table.rejection?.(operations[0]!);
    if (error !== undefined) {
      operations[0]!.call.rejectValue(error);
      return Promise.resolve();
    }
  }
  const outcomes: Promise<readonly Outcome<Stored>[]> = kind === "read"
    ? table.read(operations.map(({ key }) => key))
    : table.write(kind, operations);
  return outcomes.then(
    (outcomes) => settle(execution, kind, operations, attempt, outcomes),
    (error) => failed(execution, kind, operations, attempt, error),
  );
}

function settle<Stored>(
  execution: Execution<Stored>,
  kind: Kind,
  operations: readonly Operation<Stored>[],
  attempt: number,
  outcomes: readonly Outcome<Stored>[],
): void | Promise<void> {
  if (kind === "swap" || kind === "remove") {
    return swapped(execution, kind, operations, attempt, outcomes);
  }
  for (let i = 0; i < operations.length; i++) {
    const { call } = operations[i]!;
    const outcome = outcomes[i];
    if (call.kind === "get") call.found(outcome as Stored | undefined);
    else if (call.kind !== "cas") call.resolve();
    else if (kind === "create") call.resolve(outcome === true);
    else call.resolve(outcome === undefined);
  }
}

/**
 * Settles swaps. Where the row holds another form of what is expected, or held
 * what is expected until another call was faster, the swap is attempted again.
 */
async function swapped<Stored>(
  execution: Execution<Stored>,
  kind: Kind,
  operations: readonly Operation<Stored>[],
  attempt: number,
  outcomes: readonly Outcome<Stored>[],
): Promise<void> {
  const untold: Operation<Stored>[] = [];
  const undecided: Promise<void>[] = [];
  const compare = (
    operation: Operation<Stored>,
    stored: Stored | undefined,
  ) => {
    const call = operation.call as KvCasCall<Stored>;
    if (stored === undefined || !matches(call, stored)) {
      if (!call.settled) call.resolve(false);
      return;
    }
    const error = new Error("other calls keep changing the entry");
    const next = { ...operation, expected: stored };
    undecided.push(again(execution, kind, next, attempt, error));
  };
  for (let i = 0; i < operations.length; i++) {
    const operation = operations[i]!;
    const outcome = outcomes[i];
    if (outcome === true) (operation.call as KvCasCall<Stored>).resolve(true);
    else if (outcome === false) untold.push(operation);
    else compare(operation, outcome);
  }
  if (untold.length > 0) {
    const keys = untold.map(({ key }) => key);
    const { table, triage } = execution;
    try {
      const values = await readTwice(triage, () => table.read(keys));
      untold.forEach((operation, i) => compare(operation, values[i]));
    } catch (error) {
      rejectAll(untold, error);
    }
  }
  await Promise.all(undecided);
}

function matches<Stored>(call: KvCasCall<Stored>, stored: Stored): boolean {
  try {
    return call.matches(stored);
  } catch (error) {
    call.reject(error);
    return false;
  }
}

/** Attempts again what may be attempted again, and rejects the rest. */
async function failed<Stored>(
  execution: Execution<Stored>,
  kind: Kind,
  operations: readonly Operation<Stored>[],
  attempt: number,
  error: unknown,
): Promise<void> {
  const trouble = execution.triage(error);
  const isUnknown = trouble === "unknown";
  if (!execution.isInTransaction()) {
    const isFirst = attempt === 0;
    if (isFirst && kind === "read" && isUnknown) {
      return await execute(execution, kind, operations, 1);
    }
    if (isFirst && trouble === "no table") {
      try {
        await execution.restore();
      } catch (error) {
        return rejectAll(operations, error);
      }
      return await execute(execution, kind, operations, 1);
    }
    if (operations.length > 1 && isServerError(trouble)) {
      await Promise.all(
        operations.map((operation) => execute(execution, kind, [operation])),
      );
      return;
    }
    if (trouble === "transient") {
      return await again(execution, kind, operations[0]!, attempt, error);
    }
  }
  rejectAll(operations, error, kind !== "read" && isUnknown);
}

function rejectAll(
  operations: readonly Operation<unknown>[],
  error: unknown,
  isUnknown = false,
): void {
  const Type = isUnknown ? KvOutcomeUnknownError : undefined;
  for (const { call } of operations) call.reject(error, Type);
}

async function again<Stored>(
  execution: Execution<Stored>,
  kind: Kind,
  operation: Operation<Stored>,
  attempt: number,
  error: unknown,
): Promise<void> {
  if (attempt === MAX_ATTEMPTS) return operation.call.reject(error);
  if (attempt > 0) await pause(Math.random() * Math.min(2 ** attempt, 64));
  await execute(execution, kind, [operation], attempt + 1);
}
