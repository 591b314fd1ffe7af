export { type CompileOptions, compileModel } from "./lowering/index.ts";
export type { QuantizedModel } from "./quantized-model.ts";
