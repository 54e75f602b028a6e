/** Texts about histories. */
import type { Violation } from "./check.ts";
import type { HistoryEvent } from "./events.ts";

/** How many calls a text shows. */
const SHOWN = 200;

/** Describes a violation by the calls around the first that nothing explains. */
export function violationText({ key, calls, explained }: Violation): string {
  const known = calls.filter(({ outcome }) => outcome !== "rejected");
  const from = Math.max(0, explained - SHOWN / 2);
  const shown = known.slice(from, from + SHOWN);
  const start = shown[0]?.invoked ?? 0;
  return `no order of the calls on ${key} explains their answers ` +
    `(${explained} of ${known.length} are explained):\n` +
    shown.map((call) => `  ${callText(call, start)}\n`).join("");
}

function callText(
  { client, order, name, value, expected, result, outcome, ...times }:
    HistoryEvent,
  start: number,
): string {
  const args = name === "get" || name === "delete"
    ? ""
    : name === "set"
    ? `${value}`
    : name === "expire"
    ? `${expected}`
    : `${expected} -> ${value}`;
  const answer = outcome === "ok" ? result ?? "done" : outcome;
  const [from, to] = [times.invoked - start, times.responded - start];
  return `${from.toFixed(2)}..${to.toFixed(2)} ${client} #${order} ` +
    `${name}(${args}): ${answer}`;
}
