/** Errors that a person at the command line can expect. */

/** A failure that is reported without a stack trace. */
export class Expected extends Error {
  override name = "Expected";

  constructor(message: string, readonly exitCode: number = 1) {
    super(message);
  }
}

/** A message without the passwords of URLs in it. */
export function redacted(message: string): string {
  return message.replace(/(\w+:\/\/[^\s:/@]*):[^\s@/]+@/g, "$1:***@");
}
