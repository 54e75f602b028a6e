// Unpacks servers from Debian's packages without installing them.
import type { Product, Programs } from "./product.ts";
import { type Outcome, run } from "./run.ts";

const MINUTE = 60_000;

/**
 * Unpacks a server's Debian packages into the cache folder, without installing
 * anything. The caller ensures that nobody else does so at the same time.
 *
 * @throws {Error} If a step fails, or the programs are not usable.
 */
export async function unpack(
  product: Product,
  cache: string,
  areUsable: (programs: Programs) => Promise<boolean>,
): Promise<Programs> {
  const folder = `${cache}/${product}-${await release()}`;
  const unpacked = await programsIn(product, folder);
  if (unpacked !== undefined && await areUsable(unpacked)) return unpacked;

  const part = `${folder}.part`;
  await remove(part);
  await Deno.mkdir(part);
  try {
    await download(product, part);
    const fresh = await programsIn(product, part);
    if (fresh === undefined || !await areUsable(fresh)) {
      throw new Error("the unpacked programs do not run");
    }
    await remove(folder);
    await Deno.rename(part, folder);
  } finally {
    await remove(part);
  }
  return (await programsIn(product, folder))!;
}

async function download(product: Product, folder: string): Promise<void> {
  const apt = `${folder}/apt`;
  await Deno.mkdir(`${apt}/lists/partial`, { recursive: true });
  await Deno.mkdir(`${apt}/cache/archives/partial`, { recursive: true });
  // Private lists, so that neither root nor a recent `apt-get update` is needed.
  const options = [
    "-qq",
    `-oDir::State::lists=${apt}/lists`,
    `-oDir::Cache=${apt}/cache`,
    "-oDebug::NoLocking=true",
    "-oAPT::Sandbox::User=",
    "-oAPT::Update::Error-Mode=any",
    "-oAcquire::Languages=none",
    "-oAcquire::Retries=1",
    "-oAcquire::http::Timeout=10",
    "-oAcquire::https::Timeout=10",
  ];
  // One broken source among many fails this step, and need not matter.
  const update = await run(["apt-get", ...options, "update"], {
    timeout: 2 * MINUTE,
  });
  const roots = await packagesOf(product, options);
  const install = await run([
    "apt-get",
    ...options,
    "--no-install-recommends",
    "--reinstall",
    "--print-uris",
    "install",
    ...roots,
  ]);
  if (!install.ok) throw failure(update.ok ? install : update);
  const names = [...install.stdout.matchAll(/^\S+ ([^_\s]+)_/gm)]
    .map((match) => match[1]!)
    .filter((name) => roots.includes(name) || isNeededLibrary(name));

  const debs = `${apt}/debs`;
  await Deno.mkdir(debs);
  check(
    await run(["apt-get", ...options, "download", ...names], {
      cwd: debs,
      timeout: 5 * MINUTE,
    }),
  );
  for await (const deb of Deno.readDir(debs)) {
    check(
      await run(["dpkg", "-x", `${debs}/${deb.name}`, folder], {
        timeout: MINUTE,
      }),
    );
  }
  await Deno.remove(apt, { recursive: true });
}

/** The packages that have a server's programs. */
async function packagesOf(
  product: Product,
  options: readonly string[],
): Promise<string[]> {
  if (product === "redis") return ["redis-server", "redis-tools"];
  if (product === "pgbouncer") return ["pgbouncer"];
  if (product === "mariadb") return ["mariadb-server-core"];
  return [await postgresPackage(options)];
}

/** The package of the PostgreSQL version that the Debian release has. */
async function postgresPackage(options: readonly string[]): Promise<string> {
  const depends = await run(["apt-cache", ...options, "depends", "postgresql"]);
  const name = /Depends: (postgresql-\d+)$/m.exec(depends.stdout)?.[1];
  if (name === undefined) {
    throw new Error("no package postgresql found");
  }
  return name;
}

/** Whether the servers do not run without: LLVM and Perl are for extras. */
function isNeededLibrary(name: string): boolean {
  return name.startsWith("lib") && !/^lib(llvm|z3|perl)/.test(name);
}

async function programsIn(
  product: Product,
  folder: string,
): Promise<Programs | undefined> {
  let programs: string | undefined;
  if (product === "redis") {
    programs = `${folder}/usr/bin`;
  } else if (product === "pgbouncer" || product === "mariadb") {
    programs = `${folder}/usr/sbin`;
  } else {
    const versions = `${folder}/usr/lib/postgresql`;
    for (const version of await namesIn(versions)) {
      programs = `${versions}/${version}/bin`;
    }
  }
  if (programs === undefined) return undefined;
  const libraries: string[] = [];
  for (const parent of [`${folder}/usr/lib`, `${folder}/lib`]) {
    for (const name of await namesIn(parent)) {
      if (name.includes("-linux-")) libraries.push(`${parent}/${name}`);
    }
  }
  return { folder: programs, libraries };
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await Array.fromAsync(Deno.readDir(folder))).map((it) => it.name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

/** The system's release and architecture, as in `debian-12-amd64`. */
async function release(): Promise<string> {
  const system = await run([
    "sh",
    "-c",
    '. /etc/os-release; echo "$ID-$VERSION_ID"',
  ]);
  check(system);
  const architecture = await run(["dpkg", "--print-architecture"]);
  check(architecture);
  return `${system.stdout.trim()}-${architecture.stdout.trim()}`;
}

async function remove(folder: string): Promise<void> {
  try {
    await Deno.remove(folder, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

function check(outcome: Outcome): void {
  if (!outcome.ok) throw failure(outcome);
}

function failure({ stdout, stderr }: Outcome): Error {
  const lines = (stderr.trim() || stdout.trim()).split("\n");
  return new Error(
    lines.find((line) => line.startsWith("E: ")) ?? lines.at(-1),
  );
}
