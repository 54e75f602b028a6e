// The servers that can be started, and where their programs are.

/** The programs of a server, installed or unpacked. */
export interface Programs {
  /** The folder of the programs. */
  folder: string;
  /** The folders of the libraries that are not installed. */
  libraries: readonly string[];
}

/** A server's programs by name. */
export type Product = "redis" | "postgres" | "pgbouncer" | "mariadb";
