/** Whole ONNX models of integers in onnxruntime's plain WebAssembly build. Its layout is [N, C, H, W], ours [H, W, C]. */
import * as ort from "onnxruntime-web";
import type { Elements } from "../reference/index.ts";

ort.env.wasm.numThreads = 1;

/** An integer model, loaded; `release` frees it. */
export class IntegerModel {
  private constructor(private readonly session: ort.InferenceSession) {}

  static async load(file: Uint8Array): Promise<IntegerModel> {
    return new IntegerModel(await ort.InferenceSession.create(file));
  }

  /** @param input [H, W, C] of the model's only input @returns outputs by name, [H, W, C] */
  async run(input: Elements, { height, width, channels }: Shape): Promise<Map<string, Elements>> {
    const planes = transpose(input, height * width, channels);
    const type = input instanceof Uint8Array ? "uint8" : "int8";
    const feed = new ort.Tensor(type, planes as never, [1, channels, height, width]);
    const results = await this.session.run({ [this.session.inputNames[0]]: feed });
    return new Map(
      Object.entries(results).map(([name, { data, dims }]) => [
        name,
        transpose(data as Elements, dims[1], dims[2] * dims[3]),
      ]),
    );
  }

  release(): Promise<void> {
    return this.session.release();
  }
}

interface Shape {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** [rows, columns] -> [columns, rows] */
function transpose<T extends Elements>(matrix: T, rows: number, columns: number): T {
  const result = matrix.slice() as T;
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) result[column * rows + row] = matrix[row * columns + column];
  }
  return result;
}
