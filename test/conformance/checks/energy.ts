/** Energy and area: against their sources, against a second count by hand, and against published chips, order of magnitude. */
import {
  createMachine,
  loadPreset,
  type Machine,
  PARAMETERS,
  type ParameterKey,
  withParameters,
} from "../../../isa/index.ts";
import { ENERGY_COMPONENTS, type EnergyPj, type TimingResult } from "../../../sim/index.ts";
import { type Check, factorOff, percentOff } from "../check.ts";
import { timeLayer } from "../lab.ts";
import { SQUEEZEDET_LAYERS } from "../squeezedet-layers.ts";

/** fire10's 3x3: 0.62 GMAC with high reuse; compute bound on every machine here. */
const BUSY_LAYER = SQUEEZEDET_LAYERS.find(({ name }) => name === "fire10_e3x3")!;

/** Parameters whose value follows from a published figure, and that figure. */
const PUBLISHED: { readonly [K in ParameterKey]?: number } = {
  // Horowitz, ISSCC 2014, 45 nm, 0.9 V: int8 multiply, int32 add
  "energy.macPj": 0.2 + 0.1,
  // two int32 adds, the shifter as a third, an int8 compare
  "energy.shiftPj": 3 * 0.1 + 0.03,
  // 64 bits of an SRAM of 32 KiB
  "energy.sramPjPerByte": 20 / 8,
  // 64 bits of 8 KiB, square root to 2 KiB, half of the bits
  "energy.accumulatorPj": (10 * Math.sqrt(2 / 8)) / 2,
  // Keckler et al., IEEE Micro 2011: 310 pJ for 256 bits over 10 mm; 4 and 2 mm
  "energy.dmaPjPerByte": (310 / 32 / 10) * 4,
  "energy.linkPjPerByte": (310 / 32 / 10) * 2,
  // HBM2, O'Connor et al., MICRO 2017: 3.9 pJ per bit; LPDDR4 is taken for the same
  "energy.dramPjPerByte": 3.9 * 8,
  // 70 pJ per RISC instruction, and 64 bytes out of 4 KiB
  "energy.instructionPj": 70 + 64 * 2.5 * Math.sqrt(4 / 32),
  // Dally, NIPS 2015: multiplier and adder; NanGate: 56 flip-flops
  "area.macUm2": 282 + 137 + 56 * 4.5,
  // Mistry et al., IEDM 2007, at 60 %
  "area.sramUm2PerBit": 0.346 / 0.6,
};

/**
 * docs/energy.md's worked example: what each event takes on rap-e at 16 nm and 0.8 V. Numbers of their own, so that a constant
 * or factor that changes in the model shows.
 */
const RAP_E_PRICES = {
  macPj: 0.05163,
  shiftPj: 0.05679,
  sramPjPerByte: 0.43025,
  accumulatorPj: 0.43025,
  dmaPjPerByte: 3.0815,
  linkPjPerByte: 1.5012,
  dramPjPerByte: 32,
  instructionPj: 22.373,
  leakageW: 0.045352,
  clockPjPerCycle: 223.82,
};

function byHand({ totals }: TimingResult, agents: number): Omit<EnergyPj, "total"> {
  const prices = RAP_E_PRICES;
  return {
    mac: totals.macsExecuted * prices.macPj,
    shift: totals.shiftedValues * prices.shiftPj,
    sram: (totals.sramReadBytes + totals.sramWriteBytes) * prices.sramPjPerByte,
    accumulator: totals.accumulatorAccesses * prices.accumulatorPj,
    dma: totals.dmaBytes * prices.dmaPjPerByte,
    link: totals.linkBytes * prices.linkPjPerByte,
    dram: (totals.dramReadBytes + totals.dramWriteBytes) * prices.dramPjPerByte,
    scalar: totals.instructions * agents * prices.instructionPj,
    leakage: totals.seconds * prices.leakageW * 1e12,
    clock: totals.cycles * prices.clockPjPerCycle,
  };
}

/** On-chip energy per multiply-accumulate of a busy layer, in pJ. */
function onChipPjPerMac(machine: Machine): number {
  const { totals } = timeLayer(BUSY_LAYER, machine).whole;
  return (totals.energyPj.total - totals.energyPj.dram) / totals.macs;
}

/** tera-operations (two per MAC) per second and watt <-> pJ per MAC */
const pjPerMacAt = (topsPerWatt: number) => 2 / topsPerWatt;

interface Chip {
  readonly id: string;
  readonly chip: string;
  readonly pjPerMac: number;
  readonly machine: () => Machine;
  readonly about: string;
}

const CHIPS: readonly Chip[] = [
  {
    id: "chip-simba",
    chip: "NVIDIA's Simba, 16 nm: 0.11 pJ per operation at its best (Zimmer et al., VLSI 2019)",
    pjPerMac: 2 * 0.11,
    // 16 elements of 8 x 8 MACs; weights, inputs and sums of an element in about 64 KiB
    machine: () =>
      createMachine(
        "Simba",
        {
          "array.rows": 8,
          "array.cols": 8,
          "array.accumulatorBytes": 4096,
          "sram.bytes": 65536,
          "tech.voltage": 0.5,
          "energy.dramPjPerByte": 0,
        },
        "Simba",
      ),
    about: "16 x 8 x 8 MACs at 16 nm, 0.5 V",
  },
  {
    id: "chip-mediatek",
    chip: "MediaTek's accelerator, 7 nm: 3.4 TOPS/W at its fastest (Lin et al., ISSCC 2020)",
    pjPerMac: pjPerMacAt(3.4),
    machine: () => withParameters(loadPreset("rap-e"), { "tech.nodeNm": 7, "tech.voltage": 0.8 }, "MediaTek"),
    about: "rap-e at 7 nm, 0.8 V",
  },
  {
    id: "chip-tpu",
    chip: "Google's TPU v1, 28 nm: 92 TOPS peak, 40 W busy (Jouppi et al., ISCA 2017)",
    pjPerMac: pjPerMacAt(92 / 40),
    machine: () =>
      createMachine(
        "TPU",
        {
          agents: 1,
          "array.rows": 256,
          "array.cols": 256,
          "array.accumulatorBytes": 4 * 2 ** 20,
          "sram.bytes": 24 * 2 ** 20,
          "sram.banks": 256,
          "shift.lanes": 256,
          "pool.lanes": 256,
          "dma.bytesPerCycle": 64,
          "dram.bytesPerCycle": 48,
          clockHz: 7e8,
          "tech.nodeNm": 28,
          "tech.voltage": 0.9,
        },
        "TPU",
      ),
    about: "256 x 256 MACs and 28 MiB at 28 nm, 0.9 V",
  },
];

/** What a machine of this technology takes for 64 bits of a 32 KiB SRAM and an int8 multiply-add, from PARAMETERS alone. */
function priceAt(nodeNm: number, voltage: number, component: "mac" | "sram"): number {
  const at = (nm: number, v: number) =>
    timeLayer(
      { ...BUSY_LAYER, outH: 4, outW: 4, inChannels: 16, outChannels: 16 },
      withParameters(loadPreset("rap-e"), { "tech.nodeNm": nm, "tech.voltage": v }, "a technology"),
    ).whole.totals.energyPj[component];
  const scale = at(nodeNm, voltage) / at(45, 0.9);
  return (
    scale * (component === "mac" ? PARAMETERS["energy.macPj"].default : 8 * PARAMETERS["energy.sramPjPerByte"].default)
  );
}

export const ENERGY_CHECKS: readonly Check[] = [
  {
    id: "energy-sources",
    claim: "energy and area constants that follow from a publication",
    against: "the published figures at 45 nm",
    allowed: { unit: "percent", most: 3 },
    run() {
      const offs = Object.entries(PUBLISHED).map(([key, value]) => {
        const parameter = PARAMETERS[key as ParameterKey] as { readonly default: number };
        return percentOff(parameter.default, value);
      });
      return { error: Math.max(...offs), detail: `${offs.length} constants; the others are estimates` };
    },
  },
  {
    id: "energy-by-hand",
    claim: "energy of every component, a small network on rap-e",
    against: "the worked example of docs/energy.md times the run's counters",
    allowed: { unit: "percent", most: 0.1 },
    run(lab) {
      const result = lab.timing("tiny", "rap-e");
      const expected = byHand(result, 16);
      const offs = ENERGY_COMPONENTS.map((name) =>
        expected[name] === 0 ? result.totals.energyPj[name] : percentOff(result.totals.energyPj[name], expected[name]),
      );
      return { error: Math.max(...offs), detail: `${offs.length} components` };
    },
  },
  {
    id: "energy-7nm",
    claim: "int8 multiply-add and 64 bits of a 32 KiB SRAM, scaled to 7 nm",
    against: "Jouppi et al., ISCA 2021, 7 nm: 0.10 and 8.5 pJ",
    allowed: { unit: "factor", most: 10 },
    run() {
      const [mac, sram] = (["mac", "sram"] as const).map((component) => priceAt(7, 0.7, component));
      return {
        error: Math.max(factorOff(mac, 0.07 + 0.03), factorOff(sram, 8.5)),
        detail: `ours ${mac.toFixed(3)} and ${sram.toFixed(2)} pJ: gates shrink more than wires and memories do`,
      };
    },
  },
  ...CHIPS.map(
    ({ id, chip, pjPerMac, machine, about }): Check => ({
      id,
      claim: `order of magnitude of on-chip energy per MAC: ${about}`,
      against: chip,
      allowed: { unit: "factor", most: 10 },
      run() {
        const ours = onChipPjPerMac(machine());
        return {
          error: factorOff(ours, pjPerMac),
          detail: `ours ${ours.toFixed(2)} pJ/MAC (${(2 / ours).toFixed(1)} TOPS/W), the chip ${pjPerMac.toFixed(2)} (${(2 / pjPerMac).toFixed(1)})`,
        };
      },
    }),
  ),
  {
    id: "area-simba",
    claim: "order of magnitude of area: 16 x 8 x 8 MACs at 16 nm",
    against: "NVIDIA's Simba: 4.01 TOPS at 1.29 TOPS/mm2 (Zimmer et al., VLSI 2019)",
    allowed: { unit: "factor", most: 10 },
    run() {
      const ours = timeLayer(BUSY_LAYER, CHIPS[0].machine()).whole.totals.areaMm2.total;
      const theirs = 4.01 / 1.29;
      return { error: factorOff(ours, theirs), detail: `ours ${ours.toFixed(2)} mm2, the chip ${theirs.toFixed(2)}` };
    },
  },
  {
    id: "rap-e-power",
    claim: "power of rap-e, SqueezeDet frame after frame and at full use of the arrays",
    against: "13 W, which AlphaICs announced for RAP-E",
    allowed: null,
    run(lab) {
      const { averagePowerW, macUtilization, energyPj } = lab.timing("squeezedet", "rap-e").totals;
      const machine = loadPreset("rap-e");
      const peakW = onChipPjPerMac(machine) * 1e-12 * 4096 * machine.parameters.clockHz;
      return {
        error: factorOff(averagePowerW, 13),
        detail: `ours ${averagePowerW.toFixed(2)} W (${(energyPj.total / 1e9).toFixed(2)} mJ a frame) at ${(100 * macUtilization).toFixed(0)} % of the MACs, about ${peakW.toFixed(1)} W without DRAM at all of them; see docs/energy.md for why a product's figure is larger`,
      };
    },
  },
];
