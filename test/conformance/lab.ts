/** What several checks need, made once: networks, programs, their time, the peers' figures. */
import { buildNetwork } from "../../compiler/builders.ts";
import { compileModel, type QuantizedModel, quantize } from "../../compiler/index.ts";
import { type CheckedProgram, checkProgram, loadPreset, type Machine } from "../../isa/index.ts";
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

  program(network: string, preset: string): CheckedProgram {
    return this.once(`program ${network} ${preset}`, () => {
      const program = compileModel(this.network(network), loadPreset(preset));
      return checkProgram(program, `${network} on ${preset}`);
    });
  }

  timing(network: string, preset: string): TimingResult {
    return this.once(`timing ${network} ${preset}`, () => simulateTiming(this.program(network, preset)));
  }
}

/** A network of one convolution, compiled and timed like any other. */
export function timeLayer(layer: ConvLayer, machine: Machine): { layer: LayerResult; whole: TimingResult } {
  const whole = simulateTiming(checkProgram(compileModel(oneConvModel(layer), machine), layer.name));
  return { layer: whole.layers.find(({ name }) => name === layer.name)!, whole };
}
