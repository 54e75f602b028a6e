/**
 * Every case of the contract, as data.
 *
 * @module
 */
import { badKeyCases } from "./bad_keys.ts";
import { badValueCases } from "./bad_values.ts";
import { callCases } from "./calls.ts";
import { casCases } from "./cas.ts";
import { casRaceCases } from "./cas_race.ts";
import type { ConformanceCase } from "./case.ts";
import { expiresCases } from "./expires.ts";
import { hostileCases } from "./hostile.ts";
import { isolationCases } from "./isolation.ts";
import { keyCases } from "./keys.ts";
import { largeValueCases } from "./large_values.ts";
import { listCases } from "./list.ts";
import { listChangeCases } from "./list_changes.ts";
import { listOrderCases } from "./list_order.ts";
import { longKeyCases } from "./long_keys.ts";
import { operationInputCases } from "./operations_input.ts";
import { operationListCases } from "./operations_list.ts";
import { operationManyCases } from "./operations_many.ts";
import { ttlCases } from "./ttl.ts";
import { ttlInputCases } from "./ttl_input.ts";
import { valueCases } from "./values.ts";

/**
 * Every case of the contract: what {@linkcode conformance} registers.
 *
 * @example Usage
 * ```ts
 * import { cases } from "@org/kv/testing";
 * import { assert } from "@std/assert";
 *
 * assert(cases.some(({ name }) => name === "null is a value"));
 * ```
 */
export const cases: readonly ConformanceCase[] = [
  ...keyCases,
  ...badKeyCases,
  ...longKeyCases,
  ...valueCases,
  ...badValueCases,
  ...largeValueCases,
  ...isolationCases,
  ...ttlCases,
  ...ttlInputCases,
  ...expiresCases,
  ...casCases,
  ...casRaceCases,
  ...listCases,
  ...listOrderCases,
  ...listChangeCases,
  ...callCases,
  ...hostileCases,
  ...operationListCases,
  ...operationManyCases,
  ...operationInputCases,
];
