/** Photographs to detections, through the simulated program and the float network: what each thread of `rapsim eval` does. */
import { createFloatNetwork, type FloatModel, type FloatNetwork } from "../host/evaluation/float-network.ts";
import { formatHeadError, headError } from "../host/evaluation/head-error.ts";
import { decodeConvDet, formatKitti, type Image, imageToTensor, readImage, realOutput } from "../host/index.ts";
import { type ConvDetHead, checkProgram, decodeProgram, RapError } from "../isa/index.ts";
import { Execution } from "../sim/functional/index.ts";

/** The two ways a photograph can go. */
export const NETWORKS = ["int8", "float"] as const;
export type Network = (typeof NETWORKS)[number];

/** What is kept of a photograph: each network's detections, and how far the two heads are apart. */
export const RESULTS = [...NETWORKS, "head"] as const;
export type Result = (typeof RESULTS)[number];

export interface FloatPart extends FloatModel {
  readonly head: ConvDetHead;
}

/** What a detector is made of: plain data, so that threads can be handed it. */
export interface DetectorParts {
  /** A program file's bytes; its head is a detection head. */
  readonly program: Uint8Array;
  /** Named in messages. */
  readonly place: string;
  readonly float: FloatPart | null;
  /** Detections above this score are kept. */
  readonly threshold: number;
}

export interface PhotoTask {
  readonly image: string;
  /** What is still to be found of it. */
  readonly results: readonly Result[];
}

/** Detections as KITTI result text, the head's error as JSON; failed: the photograph cannot be read. */
export type PhotoOutcome =
  | { readonly kind: "found"; readonly texts: Readonly<Partial<Record<Result, string>>> }
  | { readonly kind: "failed"; readonly message: string };

/** A network that is set up. */
interface Running {
  readonly head: ConvDetHead;
  /** Of the network's picture, which boxes are decoded in. */
  readonly width: number;
  readonly height: number;
  /** The head's values [H, W, C] for a photograph. */
  run(image: Image): Promise<Float32Array>;
}

function runInt8({ program: file, place }: DetectorParts): Running {
  const checked = checkProgram(decodeProgram(file, place), place);
  const { input, outputs, head } = checked.program.host;
  const execution = new Execution(checked);
  const output = outputs.find(({ tensor }) => tensor === head?.tensor);
  if (head?.kind !== "convdet" || output === undefined) throw new Error(`${place}: not a detector`);
  const { width, height } = input;
  const run = async (image: Image) => realOutput(output, execution.runFrame(imageToTensor(image, input)));
  return { head, width, height, run };
}

function runFloat({ float }: DetectorParts): Running {
  if (float === null) throw new Error("no float network");
  const { width, height } = float.preprocess;
  let network: Promise<FloatNetwork> | undefined;
  const run = async (image: Image) => {
    network ??= createFloatNetwork(float);
    return (await network).run(image);
  };
  return { head: float.head, width, height, run };
}

const SET_UP: Readonly<Record<Network, (parts: DetectorParts) => Running>> = { int8: runInt8, float: runFloat };

/** A detector; each network is set up when the first photograph wants it. */
export function createDetector(parts: DetectorParts): (task: PhotoTask) => Promise<PhotoOutcome> {
  const running: Partial<Record<Network, Running>> = {};
  return async ({ image: path, results }) => {
    let image: Image;
    try {
      image = await readImage(path);
    } catch (error) {
      if (error instanceof RapError) return { kind: "failed", message: error.message };
      throw error;
    }
    const texts: Partial<Record<Result, string>> = {};
    const values: Partial<Record<Network, Float32Array>> = {};
    for (const network of NETWORKS) {
      if (!results.includes(network) && !results.includes("head")) continue;
      running[network] ??= SET_UP[network](parts);
      const { head, width, height, run } = running[network];
      values[network] = await run(image);
      if (!results.includes(network)) continue;
      const { threshold } = parts;
      texts[network] = formatKitti(
        decodeConvDet(head, values[network], width, height, image.width, image.height, { threshold }),
      );
    }
    if (results.includes("head"))
      texts.head = formatHeadError(headError(running.int8!.head, values.float!, values.int8!));
    return { kind: "found", texts };
  };
}
