/** All checks that need nothing installed, in the order of the table, and where the others are. */
export { type Check, errorText, type Row, runCheck, type Unit } from "./check.ts";
export { ELSEWHERE, type Elsewhere } from "./elsewhere.ts";
export { Lab } from "./lab.ts";

import type { Check } from "./check.ts";
import { ARITHMETIC_CHECKS } from "./checks/arithmetic.ts";
import { ARRAY_CHECKS } from "./checks/array.ts";
import { ENERGY_CHECKS } from "./checks/energy.ts";
import { NETWORK_CHECKS } from "./checks/network.ts";

export const CHECKS: readonly Check[] = [...ARITHMETIC_CHECKS, ...ARRAY_CHECKS, ...NETWORK_CHECKS, ...ENERGY_CHECKS];
