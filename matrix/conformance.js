// Runs the conformance suite: conformance.js CLIENT [URL]. Prints what failed.
import { conformance } from "@org/kv/testing";
import process from "node:process";
import { clients } from "./clients.js";

const [name, url] = process.argv.slice(2);
const { open, end } = await clients[name](url);

const { store = undefined, close, ...others } = await open();
const { traits } = store ?? await open();
await close?.(others);

const cases = [];
function test(name, fn) {
  cases.push({ name, fn });
}
let leftOut = 0;
test.skip = () => leftOut++;

conformance({ name, open, test, without: traits.without, report() {} });
const failed = [];
for (const { name, fn } of cases) {
  try {
    await fn();
  } catch (error) {
    failed.push(`${name}: ${error?.stack ?? error}`);
  }
}
await end?.();
console.log(
  JSON.stringify({ passed: cases.length - failed.length, leftOut, failed }),
);
process.exit(0);
