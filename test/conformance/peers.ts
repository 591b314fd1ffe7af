/** The peers' figures, which lie beside the repository and not in it. */
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { ConvLayer } from "./one-conv.ts";

export interface PeerLayer extends ConvLayer {
  /** SCALE-Sim v2, weight stationary, compute cycles by side of the array. */
  readonly scaleSim: Readonly<Record<32 | 64, number>>;
  /** ONNXim, one 32x32 array. */
  readonly onnxim: number;
}

/** One operation of Vela's estimate. */
interface VelaRow {
  readonly name: string;
  readonly cycles: number;
}

export interface Peers {
  /** Why the figures cannot be used; null when they can. */
  readonly whyMissing: string | null;
  layers(): readonly PeerLayer[];
  vela(): readonly VelaRow[];
}

function readCsv(path: string): Readonly<Record<string, string>>[] {
  const [head, ...lines] = readFileSync(path, "utf8").trim().split(/\r?\n/);
  const names = head.split(",");
  return lines.map((line) => Object.fromEntries(line.split(",").map((cell, i) => [names[i], cell])));
}

/** @param shared folder that holds `peers` */
export function findPeers(shared = "../shared"): Peers {
  const folder = join(resolve(shared), "peers");
  const layerFile = join(folder, "layer-cycles.csv");
  const velaFile = join(folder, "vela-u65-512-layers.csv");
  const missing = [layerFile, velaFile].some((file) => !existsSync(file));
  return {
    whyMissing: missing ? "the peers' figures are not there: set RAPSIM_SHARED to the folder that holds peers" : null,
    layers: () =>
      readCsv(layerFile).map((row) => {
        const number = (name: string) => Number(row[name]);
        return {
          name: row.layer,
          outH: number("outH"),
          outW: number("outW"),
          kernel: number("kernel"),
          inChannels: number("inChannels"),
          outChannels: number("outChannels"),
          stride: number("stride"),
          scaleSim: { 32: number("scalesim_ws32_cycles"), 64: number("scalesim_ws64_cycles") },
          onnxim: number("onnxim_ws32_cycles"),
        };
      }),
    vela: () => readCsv(velaFile).map((row) => ({ name: row.Name, cycles: Number(row["Op Cycles"]) })),
  };
}
