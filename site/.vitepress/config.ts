// The site: its pages are copies of the repository's Markdown files.
import { defineConfig } from "vitepress";
import { SIDEBAR } from "./sidebar.ts";

const REPOSITORY = "https://github.com/org/kv";

export default defineConfig({
  title: "@org/kv",
  description:
    "One small key-value store with one contract on every backend: memory, SQLite, Deno KV, Redis, PostgreSQL, MySQL and Cloudflare.",
  lang: "en",
  base: process.env.SITE_BASE ?? "/",
  srcDir: "./pages",
  sitemap: { hostname: "https://org.github.io/kv/" },
  themeConfig: {
    outline: [2, 3],
    search: { provider: "local" },
    nav: [
      { text: "Guide", link: "/docs/choose-a-store", activeMatch: "/docs/" },
      // The reference is made by another program than the guide.
      { text: "API", link: "/api/", target: "_self" },
      { text: "Changes", link: "/CHANGELOG" },
    ],
    sidebar: SIDEBAR,
    socialLinks: [{ icon: "github", link: REPOSITORY }],
    editLink: {
      // This function runs in the browser, and sees nothing outside it.
      pattern: ({ filePath }) =>
        `https://github.com/org/kv/edit/main/${
          filePath === "index.md" ? "site/index.md" : filePath
        }`,
      text: "Edit this page",
    },
    footer: { message: "MIT License" },
  },
});
