// The links, names and charts of the documentation are correct.
import { assert, assertLessOrEqual, assertMatch } from "@std/assert";

const ROOT = new URL("../../", import.meta.url);
const REPOSITORY = /^https:\/\/github\.com\/org\/kv\/(?:blob|tree)\/main\//;

/** The paths of the documents, from the root. */
async function documents(): Promise<string[]> {
  const found: string[] = [];
  for (const folder of ["", "docs/", "docs/stores/"]) {
    for await (const { name } of Deno.readDir(new URL(folder, ROOT))) {
      if (name.endsWith(".md")) found.push(`${folder}${name}`);
    }
  }
  return found;
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(new URL(path, ROOT)).then(() => true, () => false);
}

Deno.test("the links of the documents lead to files, in the package if relative", async () => {
  const { publish } = JSON.parse(
    await Deno.readTextFile(new URL("deno.json", ROOT)),
  ) as { publish: { include: string[] } };
  for (const document of await documents()) {
    const text = await Deno.readTextFile(new URL(document, ROOT));
    for (const [, link] of text.matchAll(/\]\(([^)#\s]+)[^)]*\)/g)) {
      const isAbsolute = /^https?:/.test(link!);
      if (isAbsolute && !REPOSITORY.test(link!)) continue;
      const path = isAbsolute
        ? link!.replace(REPOSITORY, "")
        : new URL(link!, new URL(document, ROOT)).href.slice(ROOT.href.length);
      assert(await exists(path), `${document} links to ${path}`);
      assert(
        isAbsolute ||
          publish.include.some((it) =>
            path === it || path.startsWith(`${it}/`)
          ),
        `${document} links to ${path}, which is not in the package`,
      );
    }
  }
});

Deno.test("the files and functions that the documents name exist", async () => {
  for (const document of await documents()) {
    const text = await Deno.readTextFile(new URL(document, ROOT));
    const named = text.matchAll(
      /`((?:kv|testing|tests|servers|bench|examples)\/[\w/]+\.ts)`(?:[\s,]+`(\w+)`)?/g,
    );
    for (const [, path, name] of named) {
      assert(await exists(path!), `${document} names ${path}`);
      if (name === undefined) continue;
      const source = await Deno.readTextFile(new URL(path!, ROOT));
      assertMatch(
        source,
        new RegExp(`\\b${name}\\b`),
        `${document} names ${name} in ${path}`,
      );
    }
  }
});

Deno.test("the charts take at most 150 KB together", async () => {
  const folder = new URL("../../docs/images/", import.meta.url);
  let bytes = 0;
  for await (const { name } of Deno.readDir(folder)) {
    bytes += (await Deno.stat(new URL(name, folder))).size;
  }
  assertLessOrEqual(bytes, 150_000);
});
