/** The float network in onnxruntime's WebAssembly build: what the accelerator's integers are compared with. */
import { type Preprocess, RapError } from "../../isa/index.ts";
import type { Image } from "../image.ts";
import { imageToFloat } from "../preprocess.ts";

/** An ONNX model, and what is not in it. */
export interface FloatModel {
  /** Named in messages. */
  readonly path: string;
  readonly onnx: Uint8Array;
  /** Names of the input and of the output that is read. */
  readonly input: string;
  readonly output: string;
  readonly preprocess: Preprocess;
}

export interface FloatNetwork {
  /** The output's values [H, W, C] for a picture. */
  run(image: Image): Promise<Float32Array>;
}

/** [rows, columns] -> [columns, rows] */
function transposed(values: Float32Array, rows: number, columns: number): Float32Array {
  const output = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) output[column * rows + row] = values[row * columns + column];
  }
  return output;
}

/** Loads a network into the runtime; it runs on the thread that calls it. @throws RapError when the runtime refuses it */
export async function createFloatNetwork({ path, onnx, input, output, preprocess }: FloatModel): Promise<FloatNetwork> {
  // Loaded here: it is large, and most commands do without.
  const ort = await import("onnxruntime-web");
  ort.env.wasm.numThreads = 1;
  ort.env.logLevel = "error";
  const { height, width, channels } = preprocess;
  const session = await ort.InferenceSession.create(onnx).catch((cause: unknown) => {
    const why = (cause instanceof Error ? cause.message : String(cause)).trim().split("\n")[0];
    throw new RapError(`${path}: onnxruntime refuses the model: ${why}`, { cause });
  });
  return {
    async run(image) {
      // [H, W, C] here, [1, C, H, W] in ONNX
      const planes = transposed(imageToFloat(image, preprocess), height * width, channels);
      const feeds = { [input]: new ort.Tensor("float32", planes, [1, channels, height, width]) };
      const { data, dims } = (await session.run(feeds, [output]))[output];
      return transposed(data as Float32Array, dims[1], data.length / dims[1]);
    },
  };
}
