/** Opens `pglite:path`, a PostgreSQL inside the process. */

import { type Engine, importClient, pathOf } from "./engine.ts";

export const pglite: Engine = {
  example: "pglite:path/to/folder",
  async open(url, options) {
    const { PostgresKvStore } = await import("../kv/postgres.ts");
    const { PGlite } = await importClient("@electric-sql/pglite", "^0.5.0");
    const db = await PGlite.create(pathOf(url) || undefined);
    try {
      const store = new PostgresKvStore(db, options);
      return { store, close: () => db.close() };
    } catch (error) {
      await db.close();
      throw error;
    }
  },
};
