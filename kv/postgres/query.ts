/**
 * Running statements: what every client is reduced to.
 *
 * @module
 */

import { isServerError } from "../sql/errors.ts";
import { redacted, triage } from "./errors.ts";

/** A parameter or a column: always text, or NULL. */
export type Text = string | null;

/** What the server answered. */
export interface Answer {
  /** The rows, each an array of its columns. */
  readonly rows: readonly (readonly Text[])[];
  /** How many rows were written or returned, as the client says. */
  readonly count: unknown;
}

/**
 * Runs a statement, which is prepared unless the last argument is `false`. A
 * statement should have a parameter: postgres.js sends those without one before
 * earlier ones are answered, which poolers do not expect.
 */
export type Query = (
  statement: string,
  parameters: Text[],
  prepare?: boolean,
) => Promise<Answer>;

/*
 * postgres.js 3.4 rejects the queries of a broken connection before it takes the
 * connection out of its pool. A query that is sent in between goes to the dead
 * connection: it is never settled, and blocks the ones after it. So an error
 * that may come from a broken connection is passed on in a later turn of the
 * event loop, and no other query is sent until then.
 */
export function pausingAfterBreaks<Result>(
  send: (
    statement: string,
    parameters: Text[],
    prepare: boolean,
  ) => PromiseLike<Result>,
  answerOf: (result: Result) => Answer,
): Query {
  let pause: Promise<void> | undefined;
  async function failed(error: unknown): Promise<never> {
    if (!isServerError(triage(error))) {
      pause ??= nextTurn().then(() => {
        pause = undefined;
      });
      await pause;
    }
    throw redacted(error);
  }
  function run(
    statement: string,
    parameters: Text[],
    prepare = true,
  ): Promise<Answer> {
    return pause === undefined
      ? send(statement, parameters, prepare)
        .then(answerOf, failed) as Promise<Answer>
      : pause.then(() => run(statement, parameters, prepare));
  }
  return run;
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

/** Whether a row is an array of texts and NULLs. */
export function isTexts(row: unknown): row is Text[] {
  return Array.isArray(row) &&
    row.every((column) => column === null || typeof column === "string");
}
