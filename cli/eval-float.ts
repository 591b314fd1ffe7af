/** The float network that `--float` names, with what stands in the JSON file beside it. */
import { basename } from "node:path";
import type { FloatGraph } from "../compiler/graph.ts";
import { BUILT_IN_NETWORKS, exportFloatOnnx, importOnnx, loadFloatGraph } from "../compiler/index.ts";
import { parseSidecar } from "../compiler/sidecar.ts";
import { type ConvDetHead, RapError, sha256 } from "../isa/index.ts";
import type { FloatPart } from "./eval-detector.ts";
import { fileExists, readInput, shown } from "./files.ts";

export interface FloatSource {
  readonly part: FloatPart;
  readonly name: string;
  /** Of everything the detections depend on: the model, its preprocessing and its head. */
  readonly sha256: string;
}

/** @throws RapError for anything but a float ONNX model or built-in network with a detection head */
export async function loadFloat(path: string): Promise<FloatSource> {
  if (!(await fileExists(path)) && BUILT_IN_NETWORKS.includes(path)) return builtIn(path);
  const onnx = await readInput(path, "a float ONNX model");
  const sidecarPath = path.replace(/\.[^./\\]*$/, "") + ".json";
  const hasSidecar = sidecarPath !== path && (await fileExists(sidecarPath));
  const sidecar = hasSidecar ? parseSidecar(await readInput(sidecarPath, "a JSON file"), sidecarPath) : undefined;
  const graph = importOnnx(onnx, path, sidecar);
  if (graph.head?.kind !== "convdet") {
    throw new RapError(
      `${shown(path)}: has no detection head; describe it in ${shown(basename(sidecarPath))} beside the model`,
    );
  }
  return sourceOf(path, onnx, graph, graph.head);
}

function builtIn(name: string): FloatSource {
  const graph = loadFloatGraph(name);
  if (graph.head?.kind !== "convdet") throw new RapError(`${name}: has no detection head`);
  return sourceOf(name, exportFloatOnnx(graph), graph, graph.head);
}

function sourceOf(path: string, onnx: Uint8Array, { input, preprocess }: FloatGraph, head: ConvDetHead): FloatSource {
  const rest = Buffer.from(JSON.stringify({ input, preprocess, head }));
  return {
    part: { path, onnx, input, output: head.tensor, preprocess, head },
    name: basename(path),
    sha256: sha256(Buffer.concat([onnx, rest])),
  };
}
