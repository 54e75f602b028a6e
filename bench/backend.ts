/**
 * What a store is put on, and who is compared there.
 *
 * @module
 */
import type { OperationName } from "./operation_names.ts";
import type { Subject } from "./subject.ts";

/** Ours among the subjects. */
export const OURS = "@org/kv";

/** A backend that can be opened. */
export interface Backend {
  /** What it is called on the command line. */
  readonly name: string;
  /** What it is called in a report, with the settings that matter. */
  readonly title: string;
  /** The operations that are worth measuring, if not all. */
  readonly operations?: readonly OperationName[];
  /** Starts what is needed, and connects all subjects. */
  open(): Promise<OpenBackend>;
}

/** A backend with its subjects, all with the same settings. */
export interface OpenBackend {
  /** The bare client first. */
  readonly subjects: readonly Subject[];
  /** Who cannot be measured here, and why. */
  readonly absent: Readonly<Record<string, string>>;
  /** The versions of the packages and servers. */
  readonly versions: Readonly<Record<string, string>>;
  /** Closes the clients, ends the servers and removes the files. */
  close(): Promise<void>;
}

/** The version of a package, from where its name leads. */
export function versionOf(specifier: string): string {
  return /[@/](\d+\.\d+\.\d+[^/]*)/.exec(import.meta.resolve(specifier))?.[1] ??
    "unknown";
}
