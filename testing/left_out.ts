// Checks whether a store keeps a guarantee that it leaves out.
import type { KvGuarantee, KvStore } from "../kv/store.ts";
import type { OpenedStore, Without } from "./case.ts";
import { cases } from "./cases.ts";
import { ConformanceError } from "./expect.ts";
import { runCase } from "./run.ts";

const timeLimit = 5_000;

/**
 * Returns whether every case of a guarantee that is left out passes; `false`
 * if each of its cases needs another guarantee that is left out too.
 */
export async function passesAll(
  guarantee: KvGuarantee,
  open: () => KvStore | OpenedStore | Promise<KvStore | OpenedStore>,
  without: Without,
): Promise<boolean> {
  const about = cases.filter(({ guarantees }) =>
    guarantees.includes(guarantee) &&
    guarantees.every((each) => each === guarantee || !(each in without))
  );
  for (const each of about) {
    try {
      await runCase(each, open, { without, timeLimit });
    } catch (error) {
      if (error instanceof ConformanceError) return false;
      throw error;
    }
  }
  return about.length > 0;
}
