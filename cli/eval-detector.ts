/** Photographs to detections, through the simulated program and the float network: what each thread of `rapsim eval` does. */
import { createFloatNetwork, type FloatModel, type FloatNetwork } from "../host/evaluation/float-network.ts";
import { decodeConvDet, formatKitti, type Image, imageToTensor, readImage, realOutput } from "../host/index.ts";
import { type ConvDetHead, checkProgram, decodeProgram, RapError } from "../isa/index.ts";
import { Execution } from "../sim/functional/index.ts";

/** The two ways a photograph can go. */
export const NETWORKS = ["int8", "float"] as const;
export type Network = (typeof NETWORKS)[number];

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
  /** The networks that it is still to go through. */
  readonly networks: readonly Network[];
}

/** Detections as KITTI result text; failed: the photograph cannot be read. */
export type PhotoOutcome =
  | { readonly kind: "found"; readonly texts: Readonly<Partial<Record<Network, string>>> }
  | { readonly kind: "failed"; readonly message: string };

type Detect = (image: Image) => Promise<string>;

function int8Detector({ program: file, place, threshold }: DetectorParts): Detect {
  const checked = checkProgram(decodeProgram(file, place), place);
  const { input, outputs, head } = checked.program.host;
  const execution = new Execution(checked);
  const output = outputs.find(({ tensor }) => tensor === head?.tensor);
  if (head?.kind !== "convdet" || output === undefined) throw new Error(`${place}: not a detector`);
  return async (image) => {
    const values = realOutput(output, execution.runFrame(imageToTensor(image, input)));
    return formatKitti(
      decodeConvDet(head, values, input.width, input.height, image.width, image.height, { threshold }),
    );
  };
}

function floatDetector({ float, threshold }: DetectorParts): Detect {
  if (float === null) throw new Error("no float network");
  const { head, preprocess } = float;
  let network: Promise<FloatNetwork> | undefined;
  return async (image) => {
    network ??= createFloatNetwork(float);
    const values = await (await network).run(image);
    const { width, height } = preprocess;
    return formatKitti(decodeConvDet(head, values, width, height, image.width, image.height, { threshold }));
  };
}

const DETECTORS: Readonly<Record<Network, (parts: DetectorParts) => Detect>> = {
  int8: int8Detector,
  float: floatDetector,
};

/** A detector; each network is set up when the first photograph wants it. */
export function createDetector(parts: DetectorParts): (task: PhotoTask) => Promise<PhotoOutcome> {
  const detectors: Partial<Record<Network, Detect>> = {};
  return async ({ image: path, networks }) => {
    let image: Image;
    try {
      image = await readImage(path);
    } catch (error) {
      if (error instanceof RapError) return { kind: "failed", message: error.message };
      throw error;
    }
    const texts: Partial<Record<Network, string>> = {};
    for (const network of networks) {
      detectors[network] ??= DETECTORS[network](parts);
      texts[network] = await detectors[network](image);
    }
    return { kind: "found", texts };
  };
}
