/**
 * The quantizer's inner loops (AssemblyScript). What each function means is written once, in compiler/float/kernels.ts.
 * The code has no static data, no heap and no scratch: callers lay out the memory.
 */
export { conv } from "./conv";
export { addProducts, addRow, slopes } from "./moments";
