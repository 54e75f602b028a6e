// Finds the programs of a server: installed, or unpacked from packages.
import { cacheFolder, locked } from "./folder.ts";
import { unpack } from "./packages.ts";
import type { Product, Programs } from "./product.ts";
import { run } from "./run.ts";
import { asUser, postgresUser, type User } from "./user.ts";

const NAMES = {
  redis: ["redis-server"],
  postgres: ["postgres", "initdb"],
  pgbouncer: ["pgbouncer"],
  mariadb: ["mariadbd"],
} as const satisfies Record<Product, readonly string[]>;

const found = new Map<Product, Promise<Programs>>();

/**
 * Finds the programs of a server: on the PATH, in Debian's places, or else in
 * Debian's packages, which are downloaded once into a cache folder.
 *
 * @throws {Error} If they cannot be installed, with the reason.
 */
export function findPrograms(product: Product): Promise<Programs> {
  let programs = found.get(product);
  if (programs === undefined) {
    programs = find(product);
    found.set(product, programs);
  }
  return programs;
}

async function find(product: Product): Promise<Programs> {
  const user = product === "redis" ? undefined : await postgresUser();
  for (const folder of await places(product)) {
    const programs = { folder, libraries: [] };
    if (await areUsable(product, programs, user)) return programs;
  }
  return await findUnpacked(product, user);
}

/**
 * Finds the programs of a server in Debian's packages, downloading them unless
 * the cache folder has them.
 *
 * @throws {Error} If that fails, with the reason.
 */
export async function findUnpacked(
  product: Product,
  user?: User,
): Promise<Programs> {
  const missing = `no ${NAMES[product].join(" or ")} found`;
  if (!(await run(["apt-get", "--version"])).ok) {
    throw new Error(`${missing}, and no apt-get to download it`);
  }
  const cache = await cacheFolder(user);
  return await locked(`packages-${product}`, async () => {
    try {
      return await unpack(
        product,
        cache,
        (programs) => areUsable(product, programs, user),
      );
    } catch (error) {
      const reason = error instanceof Error ? error.message : error;
      throw new Error(`${missing}, and its package failed: ${reason}`);
    }
  });
}

/** The command that runs one of the programs. */
export function commandOf(
  programs: Programs,
  name: string,
): [string, ...string[]] {
  const program = `${programs.folder}/${name}`;
  if (programs.libraries.length === 0) return [program];
  // `env` rather than Deno's own option, which wants permission to run anything.
  return ["env", `LD_LIBRARY_PATH=${programs.libraries.join(":")}`, program];
}

async function areUsable(
  product: Product,
  programs: Programs,
  user: User | undefined,
): Promise<boolean> {
  for (const name of NAMES[product]) {
    const command = asUser(user, [...commandOf(programs, name), "--version"]);
    if (!(await run(command)).ok) return false;
  }
  return true;
}

async function places(product: Product): Promise<string[]> {
  const folders = (Deno.env.get("PATH") ?? "").split(":").filter(Boolean);
  if (product === "mariadb") folders.push("/usr/sbin");
  if (product === "postgres") {
    const debian = "/usr/lib/postgresql";
    const versions: number[] = [];
    try {
      for await (const entry of Deno.readDir(debian)) {
        versions.push(Number(entry.name));
      }
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    versions.sort((a, b) => b - a);
    folders.push(...versions.map((version) => `${debian}/${version}/bin`));
  }
  if (product === "pgbouncer") folders.push("/usr/sbin");
  const found: string[] = [];
  for (const folder of folders) {
    if (await isFile(`${folder}/${NAMES[product][0]}`)) found.push(folder);
  }
  return found;
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch {
    return false;
  }
}
