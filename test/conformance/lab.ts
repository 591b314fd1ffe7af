/** What several checks need, made once: networks, programs, their time, the peers' figures. */
import { buildNetwork } from "../../compiler/builders.ts";
import { type CompileOptions, compileModel, type QuantizedModel, quantize } from "../../compiler/index.ts";
import { type CheckedProgram, checkProgram, loadPreset, type Machine, type Packing } from "../../isa/index.ts";
import { type LayerResult, simulateTiming, type TimingResult } from "../../sim/index.ts";
import { type ConvLayer, oneConvModel } from "./one-conv.ts";
import { findPeers, type Peers } from "./peers.ts";

export class Lab {
  readonly peers: Peers;
  private readonly made = new Map<string, unknown>();

  /** @param shared the folder beside the repository; undefined: `../shared` of the working directory */
  constructor(shared?: string) {
    this.peers = findPeers(shared);
  }

  private once<T>(key: string, make: () => T): T {
    if (!this.made.has(key)) this.made.set(key, make());
    return this.made.get(key) as T;
  }

  network(name: string, seed = 1): QuantizedModel {
    return this.once(`network ${name} ${seed}`, () => quantize(buildNetwork(name, { seed }), { seed }));
  }

  program(network: string, preset: string, options: CompileOptions = {}): CheckedProgram {
    return this.once(`program ${network} ${preset} ${JSON.stringify(options)}`, () => {
      const program = compileModel(this.network(network), loadPreset(preset), options);
      return checkProgram(program, `${network} on ${preset}`);
    });
  }

  timing(network: string, preset: string, options: CompileOptions = {}): TimingResult {
    const key = `timing ${network} ${preset} ${JSON.stringify(options)}`;
    return this.once(key, () => simulateTiming(this.program(network, preset, options)));
  }
}

/**
 * As peers run networks: each layer by itself, through DRAM.
 * @param packing the peer's; by default the most that the machine's feeder does
 */
export function layerByLayer(packing?: Packing): CompileOptions {
  return packing === undefined ? { optimize: 0 } : { optimize: 0, packing };
}

/** A network of one convolution, compiled and timed like any other. */
export function timeLayer(
  layer: ConvLayer,
  machine: Machine,
  packing?: Packing,
): { layer: LayerResult; whole: TimingResult } {
  const program = compileModel(oneConvModel(layer), machine, layerByLayer(packing));
  const whole = simulateTiming(checkProgram(program, layer.name));
  return { layer: whole.layers.find(({ name }) => name === layer.name)!, whole };
}
