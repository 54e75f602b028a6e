/** The version, which `deno task release` keeps equal to that of deno.json. */

export const VERSION = "0.1.0";
