/** From what the user names to a quantized model: an ONNX file, a `.rapq` file, or a built-in network. */
import { readFileSync, statSync } from "node:fs";
import { hasMagic, listNames, PROGRAM_KIND, RapError } from "../isa/index.ts";
import { BUILT_IN_NETWORKS, buildNetwork } from "./builders.ts";
import type { FloatGraph } from "./graph.ts";
import { decodeModel } from "./onnx/schema.ts";
import { importModel } from "./onnx.ts";
import { importQdq, isQuantized, type QdqOptions } from "./qdq.ts";
import { type QuantizeOptions, quantize } from "./quantize.ts";
import type { QuantizedModel } from "./quantized-model.ts";
import { decodeRapq, RAPQ_KIND } from "./rapq.ts";
import { parseSidecar, type Sidecar } from "./sidecar.ts";
import { sidecarOf } from "./sidecar-path.ts";

const MAX_MODEL_BYTES = 2 ** 31 - 1;
const MAX_SIDECAR_BYTES = 2 ** 26;

export interface LoadOptions extends QuantizeOptions, QdqOptions {}

/**
 * The model a name or path stands for. A file is taken before a built-in of the same name; a `.rapq` file and an ONNX
 * file in QDQ form are quantized already, so options of quantizing are refused.
 * @throws RapError
 */
export function loadModel(nameOrPath: string, { rescale, onRescale, ...options }: LoadOptions = {}): QuantizedModel {
  const { onProgress, ...choices } = options;
  const refuseChoices = () => {
    const given = Object.keys(choices);
    if (given.length > 0)
      throw new RapError(
        `${nameOrPath}: is quantized already; ${listNames(given)} cannot be changed; quantize the float model again`,
      );
  };
  const refuseRescale = () => {
    if (rescale) throw new RapError(`${nameOrPath}: is no ONNX file in QDQ form; rescaling is for the scales of one`);
  };
  const bytes = readModelFile(nameOrPath, MAX_MODEL_BYTES);
  if (bytes === null) {
    if (!BUILT_IN_NETWORKS.includes(nameOrPath)) {
      throw new RapError(
        `model '${nameOrPath}': no such file, and no built-in network of this name; built-in: ${listNames(BUILT_IN_NETWORKS)}`,
      );
    }
    refuseRescale();
    return quantize(buildNetwork(nameOrPath, options), options);
  }
  if (hasMagic(RAPQ_KIND, bytes)) {
    refuseChoices();
    refuseRescale();
    return decodeRapq(bytes, nameOrPath);
  }
  if (bytes.length === 0)
    throw new RapError(`${nameOrPath}: the file is empty; expected an ONNX model or a .rapq file`);
  if (hasMagic(PROGRAM_KIND, bytes)) {
    throw new RapError(
      `${nameOrPath}: is a program already; run it with rapsim run, or give the network it was made of`,
    );
  }
  const model = decodeModel(bytes, nameOrPath);
  const sidecar = readSidecar(nameOrPath);
  if (isQuantized(model, nameOrPath)) {
    refuseChoices();
    return importQdq(model, bytes, nameOrPath, sidecar, { rescale, onRescale });
  }
  refuseRescale();
  return quantize(importModel(model, bytes, nameOrPath, sidecar), options);
}

/**
 * The float network a name or path stands for, as `loadModel` would quantize it.
 * @throws RapError for one that is quantized already
 */
export function loadFloatGraph(nameOrPath: string, options: Pick<LoadOptions, "seed"> = {}): FloatGraph {
  const bytes = readModelFile(nameOrPath, MAX_MODEL_BYTES);
  if (bytes === null && BUILT_IN_NETWORKS.includes(nameOrPath)) return buildNetwork(nameOrPath, options);
  if (bytes === null) throw new RapError(`${nameOrPath}: no such file; a float network is needed`);
  const quantized = hasMagic(RAPQ_KIND, bytes) || hasMagic(PROGRAM_KIND, bytes);
  const model = quantized ? null : decodeModel(bytes, nameOrPath);
  if (model === null || isQuantized(model, nameOrPath)) {
    throw new RapError(`${nameOrPath}: is quantized already; give the float network it was made of (--float)`);
  }
  return importModel(model, bytes, nameOrPath, readSidecar(nameOrPath));
}

function readSidecar(nameOrPath: string): Sidecar | undefined {
  const path = sidecarOf(nameOrPath);
  const bytes = path === null ? null : readModelFile(path, MAX_SIDECAR_BYTES);
  return path === null || bytes === null ? undefined : parseSidecar(bytes, path);
}

/** A file's bytes, or null when there is none. @throws RapError when it cannot be read or is too large */
function readModelFile(path: string, maxBytes: number): Uint8Array | null {
  try {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat === undefined) return null;
    if (stat.isDirectory()) {
      if (BUILT_IN_NETWORKS.includes(path)) return null;
      throw new RapError(`${path}: is a folder; expected an ONNX model or a .rapq file`);
    }
    if (stat.size > maxBytes) throw new RapError(`${path}: ${stat.size} bytes; at most ${maxBytes} are read`);
    return readFileSync(path);
  } catch (error) {
    if (error instanceof RapError) throw error;
    throw new RapError(`${path}: cannot be read (${(error as NodeJS.ErrnoException).code})`, { cause: error });
  }
}
