/**
 * Holding back what is sent, so that many commands leave in one write.
 *
 * @module
 */

import type { RedisClient } from "./client.ts";

/** Holds back what a client sends, to all nodes of a Cluster, until flushed. */
export class Cork {
  readonly #streams: { cork(): void; uncork(): void }[] = [];

  /** Begins to hold back. */
  constructor(client: RedisClient) {
    for (const { stream } of client.nodes?.("all") ?? [client]) {
      if (stream) this.#streams.push(stream);
    }
    for (const stream of this.#streams) stream.cork();
  }

  /** To how many nodes; infinitely many if the client itself holds back. */
  get nodes(): number {
    return this.#streams.length || Infinity;
  }

  /** Has what was held back leave, and goes on holding back. */
  flush(): void {
    this.remove();
    for (const stream of this.#streams) stream.cork();
  }

  /** Has what was held back leave, and holds back no more. */
  remove(): void {
    for (const stream of this.#streams) stream.uncork();
  }
}
