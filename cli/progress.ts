/** A progress bar on a terminal, and nothing in a pipe. */

import { SingleBar } from "cli-progress";
import process from "node:process";
import type { Terminal } from "./terminal.ts";

/** Shows how far long work is. */
export class Progress implements Disposable {
  readonly #terminal: Terminal;
  readonly #bar: SingleBar | undefined;
  readonly #total: number;
  readonly #started: number = performance.now();
  #isShown = false;

  /**
   * @param terminal Where to show it.
   * @param action What is done, such as `copying`.
   * @param total How many entries there are, if that is known.
   */
  constructor(terminal: Terminal, action: string, total?: number) {
    this.#terminal = terminal;
    this.#total = total ?? Number.MAX_SAFE_INTEGER;
    if (!terminal.isTerminal) return;
    this.#bar = new SingleBar({
      stream: process.stderr,
      hideCursor: true,
      clearOnComplete: true,
      etaBuffer: 200,
      format: total === undefined
        ? `${action} {value} entries, {duration_formatted}`
        : `${action} {bar} {percentage} % | {value}/{total} | {rate}/s | {eta_formatted} left`,
    });
    terminal.bar = this;
    this.update(0);
  }

  /** Sets how many entries are done, and shows it. */
  update(done: number): void {
    const seconds = (performance.now() - this.#started) / 1000;
    const payload = { rate: Math.round(done / seconds) };
    if (this.#isShown) this.#bar?.update(done, payload);
    else this.#bar?.start(this.#total, done, payload);
    this.#isShown = true;
  }

  /** Clears it, until the next update. */
  hide(): void {
    if (this.#isShown) this.#bar?.stop();
    this.#isShown = false;
  }

  [Symbol.dispose](): void {
    this.hide();
    this.#terminal.bar = undefined;
  }
}
