/** A progress bar on a terminal, and nothing in a pipe. */

import { SingleBar } from "cli-progress";
import process from "node:process";
import type { Terminal } from "./terminal.ts";

/** Shows how far long work is. */
export class Progress implements Disposable {
  readonly #bar: SingleBar | undefined;
  #done = 0;

  /**
   * @param terminal Where to show it.
   * @param action What is done, such as `copying`.
   * @param total How many entries there are, if that is known.
   */
  constructor(terminal: Terminal, action: string, total?: number) {
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
    this.#bar.start(total ?? Number.MAX_SAFE_INTEGER, 0, { rate: 0 });
    this.#started = performance.now();
  }

  readonly #started: number = performance.now();

  /** Sets how many entries are done. */
  update(done: number): void {
    this.#done = done;
    const seconds = (performance.now() - this.#started) / 1000;
    this.#bar?.update(done, { rate: Math.round(this.#done / seconds) });
  }

  [Symbol.dispose](): void {
    this.#bar?.stop();
  }
}
