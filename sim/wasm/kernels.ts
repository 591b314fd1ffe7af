/**
 * The WebAssembly inner loops of functional execution (AssemblyScript). What each function means is written once, in
 * sim/kernel-api.ts; the plain loops with the same meaning are in sim/twin-kernels.ts. The memory is imported; the code
 * has no static data, no heap and no scratch, so several instances may share one memory.
 */
export { copyBox, equalBytes, fillBox } from "./box";
export { conv, packWeights } from "./conv";
export { add, rescale } from "./elementwise";
export { convGrouped } from "./grouped";
export { pool } from "./pool";
export { range, shift, shiftWide } from "./shift";
export { widen } from "./widen";
