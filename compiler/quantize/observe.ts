/** What the tensors of a network look like: samples of them while the float network sees synthetic photographs. */
import { RapError } from "../../isa/index.ts";
import { runFloat, type TensorObserver } from "../float/executor.ts";
import { countMacs, type FloatGraph, withNodes } from "../graph.ts";
import { stimulus } from "../stimuli.ts";
import type { Calibration } from "./calibration.ts";

/** Synthetic photographs per network. */
export const STIMULI = 6;
/** Work per synthetic photograph: larger networks see a smaller picture. */
export const MACS_PER_STIMULUS = 0.8e9;
/** And its size: to draw a picture costs more than a small network takes. */
const PIXELS_PER_STIMULUS = 1 << 20;
/** Values kept per tensor and photograph, about; whole pixels are kept. */
const VALUES_PER_STIMULUS = 1 << 15;

/** Whole pixels of a tensor, [pixel][channel], from all photographs. */
export interface Samples {
  readonly channels: number;
  readonly values: Float32Array;
}

/**
 * Runs the photographs.
 * @param onFraction told how much is done, 0..1
 * @param watch told of every tensor of every run
 * @param calibration real photographs instead, in full size
 */
export function observe(
  graph: FloatGraph,
  seed: number,
  onFraction: (fraction: number) => void = () => {},
  watch: TensorObserver = () => {},
  calibration?: Calibration,
): Map<string, Samples> {
  const shown = calibration === undefined ? shrink(graph, MACS_PER_STIMULUS) : graph;
  const count = calibration?.pictures ?? STIMULI;
  const parts = new Map<string, Float32Array[]>();
  for (let i = 0; i < count; i++) {
    const input = calibration?.input(i, shown.preprocess) ?? stimulus(shown.preprocess, seed, i);
    runFloat(shown, input, (tensor, values) => {
      const list = parts.get(tensor.name) ?? [];
      parts.set(tensor.name, list);
      list.push(samplePixels(values, tensor.channels));
      watch(tensor, values);
    });
    onFraction((i + 1) / count);
  }
  const samples = new Map<string, Samples>();
  for (const [name, list] of parts) {
    const { channels } = graph.tensors.get(name)!;
    const values = new Float32Array(list.reduce((sum, part) => sum + part.length, 0));
    list.reduce((at, part) => {
      values.set(part, at);
      return at + part.length;
    }, 0);
    samples.set(name, { channels, values });
  }
  return samples;
}

/** Pixels at even distances; the distance is odd, so that columns change from row to row. */
function samplePixels(values: Float32Array, channels: number): Float32Array {
  const pixels = values.length / channels;
  const wanted = Math.max(1, Math.floor(VALUES_PER_STIMULUS / channels));
  const step = Math.max(1, Math.floor(pixels / wanted) | 1);
  const count = Math.ceil(pixels / step);
  const out = new Float32Array(count * channels);
  for (let i = 0; i < count; i++)
    out.set(values.subarray(i * step * channels, (i * step + 1) * channels), i * channels);
  return out;
}

/**
 * The network on a smaller picture when the whole is large or takes more multiply-accumulates than wanted. Convolutions do the same everywhere, so what a
 * pixel of a tensor looks like does not depend on the picture's size; a network that cannot take another size keeps its own.
 */
export function shrink(graph: FloatGraph, macs: number): FloatGraph {
  const { height, width } = graph.preprocess;
  const factor = Math.sqrt(Math.min(macs / countMacs(graph), PIXELS_PER_STIMULUS / (height * width)));
  if (!(factor < 1)) return graph;
  const reduce = (extent: number) => Math.min(extent, Math.max(64, Math.round((extent * factor) / 32) * 32));
  const preprocess = {
    ...graph.preprocess,
    height: reduce(height),
    width: reduce(width),
  };
  try {
    return withNodes(graph, graph.nodes, { preprocess });
  } catch (error) {
    if (error instanceof RapError) return graph;
    throw error;
  }
}
