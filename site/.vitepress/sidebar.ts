// The order of the pages in the site's sidebar.

/** The groups of pages, by the paths of their files without `.md`. */
export const SIDEBAR = [
  {
    text: "Start",
    items: [
      { text: "What it is", link: "/" },
      { text: "Choosing a store", link: "/docs/choose-a-store" },
      { text: "Moving from Fedify's stores", link: "/docs/moving-from-fedify" },
      { text: "The contract", link: "/docs/contract" },
    ],
  },
  {
    text: "Stores",
    items: [
      { text: "Memory", link: "/docs/stores/memory" },
      { text: "SQLite", link: "/docs/stores/sqlite" },
      { text: "Deno KV", link: "/docs/stores/deno" },
      { text: "Redis", link: "/docs/stores/redis" },
      { text: "PostgreSQL", link: "/docs/stores/postgres" },
      { text: "MySQL and MariaDB", link: "/docs/stores/mysql" },
      { text: "Workers KV", link: "/docs/stores/workers" },
      { text: "Durable Objects", link: "/docs/stores/durable-object" },
    ],
  },
  {
    text: "Use",
    items: [
      { text: "Around a store", link: "/docs/around-a-store" },
      { text: "The command line", link: "/docs/cli" },
      { text: "Adapters", link: "/docs/adapters" },
      { text: "Cloudflare Workers", link: "/docs/cloudflare" },
      { text: "Operations", link: "/docs/operations" },
      { text: "Telemetry", link: "/docs/telemetry" },
      { text: "Security", link: "/SECURITY" },
    ],
  },
  {
    text: "Evidence",
    items: [
      { text: "Performance", link: "/docs/performance" },
      { text: "Benchmarks", link: "/docs/benchmarks" },
      { text: "Runtimes and clients", link: "/docs/runtimes" },
      { text: "Robustness", link: "/docs/robustness" },
      { text: "Stability", link: "/docs/stability" },
      { text: "Changes", link: "/CHANGELOG" },
    ],
  },
  {
    text: "Develop",
    items: [
      { text: "Writing a driver", link: "/docs/write-a-driver" },
      { text: "Architecture", link: "/docs/architecture" },
      { text: "Contributing", link: "/CONTRIBUTING" },
      { text: "Releasing", link: "/docs/releasing" },
      { text: "Lab notes", link: "/docs/lab-notes" },
    ],
  },
];
