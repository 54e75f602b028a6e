/**
 * Reading a source, with errors that say what could not be read.
 *
 * @module
 */

import { KvError } from "../kv/errors.ts";
import { failure } from "../kv/core/message.ts";
import type { MigrationSource, SourcePage, SourceRequest } from "./source.ts";

/**
 * Reads the pages of a source.
 *
 * @param source The source.
 * @param request Which entries, and where to start.
 * @throws {KvError} If the source cannot be read.
 */
export async function* readPages(
  source: MigrationSource,
  request: SourceRequest,
): AsyncGenerator<SourcePage> {
  const pages = source.pages(request)[Symbol.asyncIterator]();
  let isOver = false;
  try {
    while (true) {
      let page: IteratorResult<SourcePage>;
      try {
        page = await pages.next();
      } catch (error) {
        isOver = true;
        throw error instanceof KvError
          ? error
          : failure(`read ${source.name}`, error);
      }
      if (page.done) {
        isOver = true;
        return;
      }
      yield page.value;
    }
  } finally {
    if (!isOver) await pages.return?.();
  }
}
