/**
 * Builds the site and checks it: no link is broken, and in Chromium every page
 * fits three widths of screen, light and dark, with sufficient contrast and
 * headings in order.
 *
 * `deno task site:check` needs Chromium: Debian's `chromium`, or any Chrome
 * whose path is in `CHROMIUM`. `--screenshots FOLDER` keeps pictures.
 */

import { AxeBuilder } from "@axe-core/playwright";
import { LinkChecker } from "linkinator";
import { parseArgs } from "node:util";
import { type Browser, chromium, type Page } from "playwright-core";
import { SIDEBAR } from "./.vitepress/sidebar.ts";
import { buildSite, OUTPUT } from "./build.ts";

/** A phone, a tablet and a desk. */
const WIDTHS = [390, 820, 1440];
const THEMES = ["light", "dark"] as const;
const RULES = ["color-contrast", "heading-order", "image-alt", "link-name"];
const PATHS = SIDEBAR.flatMap(({ items }) =>
  items.map(({ link }) => link === "/" ? "/index.html" : `${link}.html`)
);
const TYPES: Record<string, string> = {
  css: "text/css",
  html: "text/html; charset=utf-8",
  js: "text/javascript",
  json: "application/json",
  svg: "image/svg+xml",
  woff2: "font/woff2",
};

const { values } = parseArgs({
  args: Deno.args,
  options: { screenshots: { type: "string" }, help: { type: "boolean" } },
});
if (values.help) {
  console.log("Usage: deno task site:check [--screenshots FOLDER]");
  Deno.exit();
}

/** Serves the built site as a static host does. */
async function serve(request: Request): Promise<Response> {
  let path = decodeURIComponent(new URL(request.url).pathname).slice(1);
  if (path === "" || path.endsWith("/")) path += "index.html";
  if (!/\.\w+$/.test(path)) path += ".html";
  try {
    const bytes = await Deno.readFile(new URL(path, OUTPUT));
    const type = TYPES[path.slice(path.lastIndexOf(".") + 1)];
    return new Response(bytes, {
      headers: type ? { "content-type": type } : {},
    });
  } catch {
    return new Response("Not found", { status: 404 });
  }
}

/** The links that lead nowhere. */
async function brokenLinks(origin: string): Promise<string[]> {
  const { links } = await new LinkChecker().check({
    path: origin,
    recurse: true,
    checkFragments: true,
    linksToSkip: [`^(?!${origin})`],
    concurrency: 20,
  });
  console.log(`${links.length} links checked`);
  return links.filter(({ state }) => state === "BROKEN").map((link) =>
    `${link.parent} links to ${link.url} (${link.status})`
  );
}

/** The violations of accessibility rules on a page. */
async function violationsOn(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).withRules(RULES)
    .analyze();
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target }) => `${id} at ${target.join(" ")}`)
  );
}

async function checkPages(browser: Browser, origin: string): Promise<string[]> {
  const faults: string[] = [];
  for (const colorScheme of THEMES) {
    const context = await browser.newContext({ colorScheme });
    const page = await context.newPage();
    page.on("pageerror", (error) => faults.push(`${page.url()}: ${error}`));
    for (const path of PATHS) {
      await page.goto(`${origin}${path}`);
      await page.waitForSelector("h1");
      for (const width of WIDTHS) {
        await page.setViewportSize({ width, height: 900 });
        const excess: number = await page.evaluate(
          "document.documentElement.scrollWidth - innerWidth",
        );
        if (excess > 0) {
          faults.push(`${path} is ${excess} px wider than ${width}`);
        }
        if (values.screenshots === undefined) continue;
        const name = path.slice(1, -".html".length).replaceAll("/", "-");
        await page.screenshot({
          path: `${values.screenshots}/${
            name || "index"
          }-${width}-${colorScheme}.png`,
        });
      }
      for (const fault of await violationsOn(page)) {
        faults.push(`${path}, ${colorScheme}: ${fault}`);
      }
    }
    await context.close();
  }
  console.log(`${PATHS.length} pages checked at ${WIDTHS.join(", ")} px`);
  return faults;
}

await buildSite();
const server = Deno.serve(
  { hostname: "127.0.0.1", port: 0, onListen() {} },
  serve,
);
const origin = `http://127.0.0.1:${server.addr.port}`;
const browser = await chromium.launch({
  executablePath: Deno.env.get("CHROMIUM") ?? "/usr/bin/chromium",
  args: ["--no-sandbox"],
});
const faults = [
  ...await brokenLinks(origin),
  ...await checkPages(browser, origin),
];
await browser.close();
await server.shutdown();
for (const fault of faults) console.error(fault);
console.log(faults.length === 0 ? "No fault" : `${faults.length} faults`);
Deno.exit(faults.length === 0 ? 0 : 1);
