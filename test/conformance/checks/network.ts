/** Whole networks: work and traffic that geometry alone tells, the laws, and Vela's estimate. */
import { presetNames } from "../../../isa/index.ts";
import { checkLaws } from "../../../sim/index.ts";
import { type Check, percentOff } from "../check.ts";
import { macsOf, SQUEEZEDET_LAYERS, weightsOf } from "../squeezedet-layers.ts";

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
const millions = (value: number) => (value / 1e6).toFixed(1);

const INPUT_BYTES = 384 * 1248 * 3;
/** int32 accumulators, which the host rescales */
const OUTPUT_BYTES = 24 * 78 * 72 * 4;
/** bias, bias shift and shift of an output channel, in 4 bytes */
const TABLE_BYTES = 4 * sum(SQUEEZEDET_LAYERS.map(({ outChannels }) => outChannels));

/** Vela's own total for the network; its list of layers has cycles only. */
const VELA_TRAFFIC_BYTES = 95.9e6;

/** All but the smallest, whose program is so long that it takes half of the time; the small network runs there, too. */
const BIG_ENOUGH = presetNames().filter((preset) => preset !== "rap-small");

export const NETWORK_CHECKS: readonly Check[] = [
  {
    id: "macs",
    claim: "useful multiply-accumulates of SqueezeDet, whatever the machine",
    against: "the published geometry: 5,283,053,568",
    allowed: { unit: "differences", most: 0 },
    slow: true,
    run(lab) {
      const expected = sum(SQUEEZEDET_LAYERS.map(macsOf));
      const different = BIG_ENOUGH.filter((preset) => lab.timing("squeezedet", preset).totals.macs !== expected);
      return { error: different.length, detail: `${BIG_ENOUGH.length} machines, ${expected} MACs` };
    },
  },
  {
    id: "weights",
    claim: "weights of SqueezeDet's program on rap-e",
    against: "the published geometry: 2,077,376",
    allowed: { unit: "differences", most: 0 },
    run(lab) {
      const { tensors } = lab.program("squeezedet", "rap-e").program;
      const expected = sum(SQUEEZEDET_LAYERS.map(weightsOf));
      // packed in blocks of 16 output channels, [blocks][k][16]; conv12's 72 channels fill 4.5 of them
      const packed = tensors.filter(({ role, name }) => role === "constant" && name.endsWith("weights"));
      const ours = sum(packed.map(({ height, width, channels }) => height * width * channels));
      const padding = sum(
        SQUEEZEDET_LAYERS.map((layer) => (weightsOf(layer) / layer.outChannels) * (-layer.outChannels & 15)),
      );
      return { error: Math.abs(ours - padding - expected), detail: `${ours} B packed, ${padding} of them padding` };
    },
  },
  {
    id: "compulsory-traffic",
    claim: "DRAM bytes that no schedule of SqueezeDet avoids (the bound dramCycles) on rap-e",
    against: "weights, tables, input and output of the published geometry",
    allowed: { unit: "percent", most: 3 },
    run(lab) {
      const { totals } = lab.timing("squeezedet", "rap-e");
      const ours = totals.bounds.dramCycles * 12.8;
      const expected = sum(SQUEEZEDET_LAYERS.map(weightsOf)) + TABLE_BYTES + INPUT_BYTES + OUTPUT_BYTES;
      const moved = totals.dramReadBytes + totals.dramWriteBytes;
      return {
        error: percentOff(ours, expected),
        detail: `${millions(ours)} and ${millions(expected)} MB, padding of weights between; the program moves ${millions(moved)} MB`,
      };
    },
  },
  {
    id: "vela",
    claim: "time and traffic of whole SqueezeDet on peer-vela-u65-512",
    against: "Arm's Vela 3.10 estimate for an Ethos-U65 of the same MACs, SRAM and bandwidth",
    allowed: null,
    slow: true,
    needsPeers: true,
    run(lab) {
      const { totals } = lab.timing("squeezedet", "peer-vela-u65-512");
      const rows = lab.peers.vela();
      const theirs = sum(rows.map(({ cycles }) => cycles));
      const largest = rows.reduce((a, b) => (b.cycles > a.cycles ? b : a));
      const ours = totals.dramReadBytes + totals.dramWriteBytes;
      return {
        error: percentOff(totals.latencyCycles, theirs),
        detail: `ours ${millions(totals.latencyCycles)} million cycles and ${millions(ours)} MB, Vela ${millions(theirs)} million and ${millions(VELA_TRAFFIC_BYTES)} MB, ${millions(largest.cycles)} million of them in ${largest.name} alone; ours pools in SRAM and concatenates for nothing`,
      };
    },
  },
  {
    id: "laws",
    claim: "conservation of cycles, bytes, MACs and energy, and the bounds",
    against: "docs/timing.md, section 9",
    allowed: { unit: "differences", most: 0 },
    slow: true,
    run(lab) {
      const violations = BIG_ENOUGH.flatMap((preset) =>
        checkLaws(lab.program("squeezedet", preset), lab.timing("squeezedet", preset)),
      );
      return { error: violations.length, detail: violations[0] ?? `SqueezeDet on ${BIG_ENOUGH.length} machines` };
    },
  },
  {
    id: "laws-small",
    claim: "the same laws on a small network with every kind of operator, on every machine",
    against: "docs/timing.md, section 9",
    allowed: { unit: "differences", most: 0 },
    run(lab) {
      const presets = presetNames();
      const violations = presets.flatMap((preset) =>
        checkLaws(lab.program("tiny", preset), lab.timing("tiny", preset)),
      );
      return { error: violations.length, detail: violations[0] ?? `tiny on ${presets.length} machines` };
    },
  },
];
