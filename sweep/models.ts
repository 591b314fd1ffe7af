/** A network as integers, kept as a file under the hash of everything it is made from. */
import { readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { BUILT_IN_NETWORKS } from "../compiler/builders.ts";
import { encodeRapq, loadModel, type QuantizeOptions } from "../compiler/index.ts";
import { sidecarOf } from "../compiler/sidecar-path.ts";
import { RAPSIM_VERSION } from "../compiler/version.ts";
import { listNames, makeFolder, RapError, sha256, systemReason } from "../isa/index.ts";
import type { Options } from "./settings.ts";

/** How a network becomes integers. */
export interface ModelChoice extends Pick<Options, "activations" | "head" | "scaling" | "seed"> {
  /** Built-in name, or the path of a file. */
  readonly network: string;
}

export type Calibration = NonNullable<QuantizeOptions["calibration"]>;

export interface ModelRequest {
  readonly choice: ModelChoice;
  /** The .rapq file to write. */
  readonly path: string;
  readonly calibration: Calibration | null;
}

const exists = (path: string) => statSync(path, { throwIfNoEntry: false }) !== undefined;

/** Where a choice's file lies in a folder. @throws RapError for a network that cannot be read */
export function modelPath(
  folder: string,
  { network, ...choice }: ModelChoice,
  calibration: Calibration | null,
): string {
  const pictures = choice.scaling === "calibrated" ? (calibration?.sha256 ?? null) : null;
  const key = sha256(Buffer.from(JSON.stringify([RAPSIM_VERSION, networkSource(network), choice, pictures])));
  return join(folder, `${key}.rapq`);
}

/** What a network is, whatever it is called: the hashes of its files, or the name of a built-in one. @throws RapError */
export const networkSource = (network: string) =>
  BUILT_IN_NETWORKS.includes(network) ? [network] : fileHashes(network);

function fileHashes(path: string): string[] {
  const sidecar = sidecarOf(path);
  return [path, ...(sidecar === null || !exists(sidecar) ? [] : [sidecar])].map((file) => {
    try {
      return sha256(readFileSync(file));
    } catch (error) {
      throw new RapError(
        `network '${file}': cannot be read: ${systemReason(error)}; built-in networks are ${listNames(BUILT_IN_NETWORKS)}`,
        { cause: error },
      );
    }
  });
}

/** Writes the network's .rapq file unless it is there, whole or not at all. @throws RapError when it cannot be quantized */
export function quantizeInto({ choice, path, calibration }: ModelRequest): void {
  if (exists(path)) return;
  const { network, ...options } = choice;
  // a .rapq file has its formats
  const isFixed = network.toLowerCase().endsWith(".rapq");
  const model = loadModel(network, { ...(isFixed ? {} : options), ...(calibration === null ? {} : { calibration }) });
  makeFolder(dirname(path));
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, encodeRapq(model));
  renameSync(temporary, path);
}
