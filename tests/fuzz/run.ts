// Fuzzes the stores for minutes: deno task fuzz --minutes 10 --seed N --store NAME
import { parseArgs } from "node:util";
import { fuzzers, whyNot } from "./subjects.ts";

const { values } = parseArgs({
  args: Deno.args,
  options: {
    minutes: { type: "string", default: "10" },
    seed: { type: "string" },
    store: { type: "string", multiple: true },
  },
});
const names = values.store ?? Object.keys(fuzzers);
const milliseconds = Number(values.minutes) * 60_000 / names.length;
const seed = values.seed === undefined
  ? Math.floor(Math.random() * 2 ** 31)
  : Number(values.seed);

let failed = 0;
for (const name of names) {
  const fuzz = fuzzers[name];
  if (fuzz === undefined) {
    throw new TypeError(
      `Cannot fuzz: --store must be one of ${
        Object.keys(fuzzers)
      }: received ${name}`,
    );
  }
  const reason = await whyNot(name);
  if (reason !== undefined) {
    console.log(`${name}: skipped, ${reason}`);
    continue;
  }
  try {
    const { calls, plans } = await fuzz({ seed, milliseconds });
    console.log(`${name}: ${calls} calls in ${plans} plans from seed ${seed}`);
  } catch (error) {
    failed++;
    console.error(`${name}: ${(error as Error).message}`);
  }
}
Deno.exit(failed > 0 ? 1 : 0);
