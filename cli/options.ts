/** Parsers of option values. */

import { InvalidArgumentError } from "commander";

/** A whole number, 1 or more. */
export function wholeNumber(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1) {
    throw new InvalidArgumentError("It must be a whole number, 1 or more.");
  }
  return number;
}

/** A duration such as `500ms`, `30s`, `5m`, `12h` or `7d`, in milliseconds. */
export function duration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text);
  if (match === null) {
    throw new InvalidArgumentError(
      "It must be like 500ms, 30s, 5m, 12h or 7d.",
    );
  }
  const unit = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
  return Number(match[1]) * unit[match[2] as keyof typeof unit];
}

/** Collects an option that may be given several times. */
export function collect(value: string, values: string[] = []): string[] {
  return [...values, value];
}
