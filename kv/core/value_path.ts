/**
 * Where in a value the check is.
 *
 * @module
 */

/** How a step leads on: to an item, a member, or into a `Map` or `Set`. */
type Kind = "index" | "member" | "key" | "value";

/** A path such as `value.items[3].onClick`, formatted only for a message. */
export class ValuePath {
  readonly #kinds: Kind[] = [];
  readonly #steps: (string | number)[] = [];

  /** Goes one step on. */
  push(kind: Kind, step: string | number): void {
    this.#kinds.push(kind);
    this.#steps.push(step);
  }

  /** Goes one step back. */
  pop(): void {
    this.#kinds.pop();
    this.#steps.pop();
  }

  /** The name of the last step as `toJSON` is told it. */
  get name(): string {
    const kind = this.#kinds.at(-1);
    const named = kind === "index" || kind === "member";
    return named ? String(this.#steps.at(-1)) : "";
  }

  /** Formats the path. */
  toString(): string {
    return this.#steps.reduce<string>(
      (path, step, i) => path + format(this.#kinds[i]!, step),
      "value",
    );
  }
}

function format(kind: Kind, step: string | number): string {
  switch (kind) {
    case "index":
      return `[${step}]`;
    case "key":
      return `.keys()[${step}]`;
    case "value":
      return `.values()[${step}]`;
    case "member":
      return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(String(step))
        ? `.${step}`
        : `[${JSON.stringify(step)}]`;
  }
}
