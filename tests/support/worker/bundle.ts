// Bundles modules for workerd.

/** Bundles a module for workerd, as a user's bundler would. */
export async function bundle(
  entry: string,
  options: { minify?: boolean } = {},
): Promise<string> {
  const folder = await Deno.makeTempDir();
  try {
    const output = `${folder}/worker.js`;
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        "bundle",
        "--quiet",
        "--platform=browser",
        "--external=cloudflare:*",
        "--external=node:*",
        ...options.minify ? ["--minify"] : [],
        `--output=${output}`,
        entry,
      ],
      cwd: new URL("../../..", import.meta.url),
      stdout: "null",
      stderr: "piped",
    }).output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
    return await Deno.readTextFile(output);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
