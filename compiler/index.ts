export { exportOnnx } from "./export-onnx.ts";
export { type LoadOptions, loadFloatGraph, loadModel } from "./front-end.ts";
export { type CompileOptions, compileModel } from "./lowering/index.ts";
export { importOnnx } from "./onnx.ts";
export type { Rescaled } from "./qdq.ts";
export { type QuantizeOptions, quantize } from "./quantize.ts";
export type { QuantizedModel } from "./quantized-model.ts";
export { decodeRapq, encodeRapq } from "./rapq.ts";
export { parseSidecar } from "./sidecar.ts";
