// Runs programs of `programs/` at the same time.

/** Runs a program of `tests/support/programs` several times at once, to their ends. */
export async function runPrograms(
  count: number,
  program: string,
  args: string[],
): Promise<void> {
  const path = new URL(`./programs/${program}`, import.meta.url).pathname;
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", "--unstable-kv", "--no-check", path, ...args],
    env: { NO_COLOR: "1" },
  });
  const outputs = await Promise.all(
    Array.from({ length: count }, () => command.output()),
  );
  for (const { success, stderr } of outputs) {
    if (!success) throw new Error(new TextDecoder().decode(stderr));
  }
}
