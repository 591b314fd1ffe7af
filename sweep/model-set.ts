/** The quantized networks of a sweep: each way of quantizing is gone once, and its precision measured once. */
import { readFileSync } from "node:fs";
import { BUILT_IN_NETWORKS } from "../compiler/builders.ts";
import { RapError, sha256 } from "../isa/index.ts";
import { type Calibration, type ModelChoice, modelPath, networkSource } from "./models.ts";
import type { Point } from "./point.ts";
import { type Pool, shareable } from "./pool.ts";
import { besideSpace, located, type Space } from "./space.ts";

export interface ModelSetOptions {
  readonly pool: Pool;
  /** Folder for .rapq files; they stay for the next time. */
  readonly modelFolder: string;
  readonly calibration: Calibration | null;
  /** Mean average precision of a .rapq file, 0..1; null: not asked for. */
  readonly precisionOf: ((path: string) => Promise<number>) | null;
  readonly onModel: (choice: ModelChoice) => void;
}

export interface KnownModel {
  readonly sha256: string;
  readonly meanAp: number | null;
  /** Why there is none. */
  readonly error: string | null;
}

export interface ModelSet {
  /** Quantizes a point's network unless it is known. */
  of(point: Point): Promise<KnownModel>;
  /** Of a point that was asked for before. */
  known(point: Point): KnownModel;
  /** Files by hash, in memory that threads share. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

export function createModelSet(space: Space, options: ModelSetOptions): ModelSet {
  const known = new Map<string, KnownModel>();
  const files = new Map<string, Uint8Array>();
  const choiceOf = ({ options: { network, activations, head, scaling, seed } }: Point): ModelChoice => ({
    network: networkPlace(space, network),
    activations,
    head,
    scaling,
    seed,
  });
  const make = async (choice: ModelChoice): Promise<KnownModel> => {
    const { pool, modelFolder, calibration, precisionOf, onModel } = options;
    try {
      onModel(choice);
      const path = modelPath(modelFolder, choice, calibration);
      await pool.quantize({ choice, path, calibration: choice.scaling === "calibrated" ? calibration : null });
      const file = readFileSync(path);
      const hash = sha256(file);
      files.set(hash, shareable(file));
      return { sha256: hash, meanAp: precisionOf && (await precisionOf(path)), error: null };
    } catch (error) {
      if (!(error instanceof RapError)) throw error;
      return { sha256: "", meanAp: null, error: error.message };
    }
  };
  return {
    files,
    known: (point) => known.get(JSON.stringify(choiceOf(point)))!,
    of: async (point) => {
      const choice = choiceOf(point);
      const key = JSON.stringify(choice);
      const found = known.get(key) ?? (await make(choice));
      known.set(key, found);
      return found;
    },
  };
}

/** A built-in network by name, any other as a file beside the space's. */
const networkPlace = (space: Space, network: string) =>
  BUILT_IN_NETWORKS.includes(network) ? network : besideSpace(space.place, network);

/** What the space's networks are, by name. @throws RapError for one that is not there */
export const networkSources = (space: Space) =>
  Object.fromEntries(
    [...space.networks].map(([name, place]) => {
      try {
        return [name, networkSource(networkPlace(space, name))];
      } catch (error) {
        throw located(place, error);
      }
    }),
  );
