/**
 * Builds the site: the guide by VitePress, and the API reference by
 * `deno doc --html`.
 *
 * `deno task site` writes `site/.vitepress/dist/`, a folder of static files.
 */

import config from "../deno.json" with { type: "json" };
import { SIDEBAR } from "./.vitepress/sidebar.ts";
import site from "./deno.json" with { type: "json" };

const ROOT = new URL("../", import.meta.url);
const SITE = new URL("./", import.meta.url);
const PAGES = new URL("pages/", SITE);
/** The pages in the sidebar. */
const LISTED = new Set(
  SIDEBAR.flatMap(({ items }) => items.map(({ link }) => link)),
);

/** The folder with the finished site. */
export const OUTPUT: URL = new URL(".vitepress/dist/", SITE);

async function run(args: string[], cwd: URL): Promise<void> {
  const { success } = await new Deno.Command(Deno.execPath(), {
    args,
    cwd,
    stdin: "null",
    stdout: "inherit",
    stderr: "inherit",
  }).spawn().status;
  if (!success) throw new Error(`deno ${args.join(" ")} failed`);
}

/** Copies the pages to where VitePress finds them beside its packages. */
async function copyPages(): Promise<void> {
  await Deno.remove(PAGES, { recursive: true }).catch(() => {});
  for (const folder of ["docs/stores/", "docs/images/"]) {
    await Deno.mkdir(new URL(folder, PAGES), { recursive: true });
  }
  await Deno.copyFile(new URL("index.md", SITE), new URL("index.md", PAGES));
  for (const folder of ["", "docs/", "docs/stores/", "docs/images/"]) {
    for await (const { name, isFile } of Deno.readDir(new URL(folder, ROOT))) {
      const path = `${folder}${name}`;
      if (!isFile || !/\.(?:md|svg|png)$/.test(name)) continue;
      if (path === "README.md") continue;
      if (name.endsWith(".md") && !LISTED.has(`/${path.slice(0, -3)}`)) {
        throw new Error(`site/.vitepress/sidebar.ts does not list ${path}`);
      }
      await Deno.copyFile(new URL(path, ROOT), new URL(path, PAGES));
    }
  }
}

/** Builds the site. */
export async function buildSite(): Promise<void> {
  await copyPages();
  await run(["install", "--quiet"], SITE);
  await run(["run", "--allow-all", site.imports.vitepress, "build", "."], SITE);
  const entries = Object.values(config.exports).filter((path) =>
    path !== "./cli/mod.ts"
  );
  await run([
    "doc",
    "--quiet",
    "--html",
    "--name=@org/kv",
    `--output=${new URL("api", OUTPUT).pathname}`,
    ...entries,
  ], ROOT);
}

if (import.meta.main) {
  await buildSite();
  console.log(`Built ${OUTPUT.pathname}`);
}
