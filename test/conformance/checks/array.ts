/**
 * MAC array cycles, held against SCALE-Sim and ONNXim: busy cycles of a layer's array, from a compiled program.
 * What the peers compute stands here and nowhere in the simulator.
 */
import { Random } from "../../../compiler/random.ts";
import { loadPreset, type Machine, type Packing, withParameters } from "../../../isa/index.ts";
import { type Check, percentOff } from "../check.ts";
import { type Lab, layerByLayer, timeLayer } from "../lab.ts";
import type { ConvLayer } from "../one-conv.ts";
import { macsOf, SQUEEZEDET_LAYERS } from "../squeezedet-layers.ts";

const ARRAY_SIDES = [8, 16, 32, 64, 128];
const RANDOM_LAYERS = 500;

/**
 * SCALE-Sim v2, weight stationary, as its runs show: for each ceil(K/A) x ceil(M/A) block of weights, A cycles of preload, P of
 * pixels and 2A - 2 of drain, nothing overlapped; K = kernel^2 x inChannels, M = outChannels, P = outH x outW, A = side.
 * It then reports one cycle less: the number of the last cycle, counted from 0.
 */
export function scaleSimCycles({ outH, outW, kernel, inChannels, outChannels }: ConvLayer, side: number): number {
  const passes = Math.ceil((kernel ** 2 * inChannels) / side) * Math.ceil(outChannels / side);
  return passes * (outH * outW + 3 * side - 2) - 1;
}
/** Our cycles as SCALE-Sim would number them. */
const numberedFromZero = (cycles: number) => cycles - 1;

/**
 * SCALE-Sim's machine with an array of this side. Its compute cycles know no capacity, so that SRAM and accumulators are the
 * largest there are: a layer is one tile.
 */
function scaleSimMachine(side: number): Machine {
  const changes = {
    "array.rows": side,
    "array.cols": side,
    "sram.bytes": 2 ** 26,
    // what an instruction can name: 2^20 rows
    "array.accumulatorBytes": Math.min(2 ** 28, 2 ** 20 * 4 * side),
  };
  return withParameters(loadPreset("peer-scalesim-ws32"), changes, "SCALE-Sim's machine");
}

function arrayCycles(layer: ConvLayer, machine: Machine, packing?: Packing): number {
  return timeLayer(layer, machine, packing).layer.busyCycles.mac;
}

/** Small convolutions of any shape. */
export function randomLayers(count: number, seed: number): ConvLayer[] {
  const random = new Random(seed);
  return Array.from({ length: count }, (_, i) => ({
    name: `random${i}`,
    outH: random.integer(1, 20),
    outW: random.integer(1, 20),
    kernel: [1, 2, 3, 5, 7][random.integer(0, 4)],
    inChannels: random.integer(1, 200),
    outChannels: random.integer(1, 200),
    stride: random.integer(1, 2),
  }));
}

/** ONNXim, as its 32 layers show: passes follow each other without gaps, one tap at a time. */
function onnximCycles({ outH, outW, kernel, inChannels, outChannels }: ConvLayer): number {
  return outH * outW * kernel ** 2 * Math.ceil(inChannels / 32) * Math.ceil(outChannels / 32);
}

/** ONNXim's DRAM keeps its array waiting in these two: 9 % above its own closed form. Array cycles know no DRAM. */
const STALLED_IN_ONNXIM = ["fire4_s1x1", "fire5_s1x1"];

/** Its mapping, not a limit of its feeder. */
const ONNXIM_PACKING = "perTap";
const onnximMachine = () => loadPreset("peer-onnxim-ws32");

function worst(layers: readonly { readonly name: string; readonly off: number }[]): string {
  const { name, off } = layers.reduce((a, b) => (b.off > a.off ? b : a));
  return `worst ${name} ${off.toFixed(1)} %`;
}

const againstOnnxim = (lab: Lab) =>
  lab.peers.layers().map((peer) => {
    const { layer, whole } = timeLayer(peer, onnximMachine(), ONNXIM_PACKING);
    const ours = layer.busyCycles.mac;
    const wholeCycles = whole.totals.cycles;
    return { name: peer.name, ours, wholeCycles, theirs: peer.onnxim, off: percentOff(ours, peer.onnxim) };
  });

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

export const ARRAY_CHECKS: readonly Check[] = [
  {
    id: "scalesim-squeezedet",
    claim: "array cycles of SqueezeDet's 32 convolutions, arrays of 8 to 128",
    against: "SCALE-Sim's closed form, weight stationary",
    allowed: { unit: "differences", most: 0 },
    run() {
      const cases = ARRAY_SIDES.flatMap((side) => SQUEEZEDET_LAYERS.map((layer) => ({ side, layer })));
      const different = cases.filter(
        ({ side, layer }) =>
          numberedFromZero(arrayCycles(layer, scaleSimMachine(side))) !== scaleSimCycles(layer, side),
      );
      return { error: different.length, detail: `${cases.length} layers, equal to the cycle` };
    },
  },
  {
    id: "scalesim-random",
    claim: "array cycles of random convolutions, arrays of 8 to 128",
    against: "SCALE-Sim's closed form, weight stationary",
    allowed: { unit: "differences", most: 0 },
    run() {
      const layers = randomLayers(RANDOM_LAYERS, 1);
      const different = layers.filter((layer, i) => {
        const side = ARRAY_SIDES[i % ARRAY_SIDES.length];
        return numberedFromZero(arrayCycles(layer, scaleSimMachine(side))) !== scaleSimCycles(layer, side);
      });
      return { error: different.length, detail: `${layers.length} layers` };
    },
  },
  {
    id: "scalesim-figures",
    claim: "array cycles of SqueezeDet's 32 convolutions, 32 x 32 and 64 x 64",
    against: "SCALE-Sim v2's own runs",
    allowed: { unit: "differences", most: 0 },
    needsPeers: true,
    run(lab) {
      const cases = lab.peers.layers().flatMap((layer) => ([32, 64] as const).map((side) => ({ side, layer })));
      const different = cases.filter(
        ({ side, layer }) => numberedFromZero(arrayCycles(layer, scaleSimMachine(side))) !== layer.scaleSim[side],
      );
      return { error: different.length, detail: `${cases.length} layers` };
    },
  },
  {
    id: "scalesim-preset",
    claim: "array cycles of whole SqueezeDet, layer by layer in the pinned 1.5 MiB",
    against: "SCALE-Sim's closed form, which knows no capacity",
    allowed: { unit: "percent", most: 1 },
    run(lab) {
      const { layers } = lab.timing("squeezedet", "peer-scalesim-ws32", layerByLayer());
      const ours = sum(layers.map(({ busyCycles }) => busyCycles.mac));
      const theirs = sum(SQUEEZEDET_LAYERS.map((layer) => scaleSimCycles(layer, 32)));
      return {
        error: percentOff(ours, theirs),
        detail: `${ours} and ${theirs} cycles: tiles fill and drain once more`,
      };
    },
  },
  {
    id: "macs-executed",
    claim: "multiply-accumulates executed by SqueezeDet's 32 convolutions, one tile each",
    against: "the published geometry",
    allowed: { unit: "differences", most: 0 },
    run() {
      const machine = scaleSimMachine(32);
      const different = SQUEEZEDET_LAYERS.filter(
        (layer) => timeLayer(layer, machine).layer.macsExecuted !== macsOf(layer),
      );
      return { error: different.length, detail: `${SQUEEZEDET_LAYERS.length} layers` };
    },
  },
  {
    id: "onnxim-form",
    claim: "array cycles of SqueezeDet's 32 convolutions, one tap a pass",
    against: "ONNXim's closed form, without fill and drain",
    allowed: { unit: "percent", most: 5 },
    run() {
      const layers = SQUEEZEDET_LAYERS.map((layer) => ({
        name: layer.name,
        off: percentOff(arrayCycles(layer, onnximMachine(), ONNXIM_PACKING), onnximCycles(layer)),
      }));
      return { error: Math.max(...layers.map(({ off }) => off)), detail: `32 layers, ${worst(layers)}` };
    },
  },
  {
    id: "onnxim-layers",
    claim: "array cycles of each of SqueezeDet's convolutions",
    against: "ONNXim's own run",
    allowed: { unit: "percent", most: 5 },
    needsPeers: true,
    run(lab) {
      const layers = againstOnnxim(lab);
      const stalled = layers.filter(({ name }) => STALLED_IN_ONNXIM.includes(name));
      const compared = layers.filter((layer) => !stalled.includes(layer));
      const apart = stalled.map(({ name, off }) => `${name} ${off.toFixed(1)} %`).join(", ");
      return {
        error: Math.max(...compared.map(({ off }) => off)),
        detail: `${compared.length} layers, ${worst(compared)}; set apart for ONNXim's DRAM stalls: ${apart}`,
      };
    },
  },
  {
    id: "onnxim-total",
    claim: "array cycles of all of SqueezeDet's convolutions",
    against: "ONNXim's own run, its stalls included",
    allowed: { unit: "percent", most: 3 },
    needsPeers: true,
    run(lab) {
      const layers = againstOnnxim(lab);
      const [ours, theirs] = [sum(layers.map((layer) => layer.ours)), sum(layers.map((layer) => layer.theirs))];
      return { error: percentOff(ours, theirs), detail: `${ours} and ${theirs} cycles` };
    },
  },
  {
    id: "onnxim-time",
    claim: "whole time of SqueezeDet's convolutions one by one, from the first load to the last store",
    against: "ONNXim's own run, whose layers lie in DRAM, too",
    allowed: { unit: "percent", most: 5 },
    needsPeers: true,
    run(lab) {
      const layers = againstOnnxim(lab);
      const [ours, theirs] = [sum(layers.map((layer) => layer.wholeCycles)), sum(layers.map((layer) => layer.theirs))];
      return { error: percentOff(ours, theirs), detail: `${ours} and ${theirs} cycles` };
    },
  },
];
