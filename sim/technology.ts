/**
 * Between process nodes and voltages. Energies of logic and SRAM are given at 45 nm and 0.9 V and scaled by the factors of
 * Stillmaker and Baas, "Scaling equations for the accurate prediction of CMOS device performance from 180 nm to 7 nm",
 * Integration 58 (2017): a quadratic in the voltage for each node (high-performance devices), and relative areas.
 */
import type { MachineParameters } from "../isa/index.ts";

interface Node {
  readonly nm: number;
  /** energy of a switching gate, relative: a V^2 + b V + c */
  readonly energy: readonly [a: number, b: number, c: number];
  /** area of the same circuit relative to 45 nm */
  readonly area: number;
}

/** From the largest to the smallest. */
const NODES: readonly Node[] = [
  { nm: 65, energy: [3.755, -4.398, 1.975], area: 1.5 },
  { nm: 45, energy: [1.018, -0.3107, 0.1539], area: 1 },
  { nm: 32, energy: [0.8367, -0.4341, 0.1701], area: 0.46 },
  { nm: 20, energy: [0.373, -0.1582, 0.04104], area: 0.21 },
  { nm: 16, energy: [0.2958, -0.1241, 0.03024], area: 0.19 },
  { nm: 14, energy: [0.2363, -0.09675, 0.02239], area: 0.17 },
  { nm: 10, energy: [0.2068, -0.09311, 0.02375], area: 0.1 },
  { nm: 7, energy: [0.1776, -0.09097, 0.02447], area: 0.059 },
];
const REFERENCE_NM = 45;
export const REFERENCE_VOLTAGE = 0.9;

/** Between two nodes of the table, linear in the node. @param nm within the table */
function interpolated(nm: number, value: (node: Node) => number): number {
  const i = NODES.findIndex((node) => node.nm <= nm);
  const smaller = NODES[i];
  if (smaller.nm === nm) return value(smaller);
  const larger = NODES[i - 1];
  const share = (nm - smaller.nm) / (larger.nm - smaller.nm);
  return share * value(larger) + (1 - share) * value(smaller);
}

function gateEnergy(nm: number, voltage: number): number {
  return interpolated(nm, ({ energy: [a, b, c] }) => (a * voltage + b) * voltage + c);
}

type Technology = Pick<MachineParameters, "tech.nodeNm" | "tech.voltage">;

/** Energy of logic and SRAM, relative to 45 nm and 0.9 V. */
export function logicScale(p: Technology): number {
  return gateEnergy(p["tech.nodeNm"], p["tech.voltage"]) / gateEnergy(REFERENCE_NM, REFERENCE_VOLTAGE);
}

/** Energy of wires, relative to 0.9 V: the capacitance of a millimetre hardly changes from node to node. */
export function wireScale(p: Technology): number {
  return (p["tech.voltage"] / REFERENCE_VOLTAGE) ** 2;
}

/** Area, relative to 45 nm. */
export function areaScale(p: Technology): number {
  return interpolated(p["tech.nodeNm"], ({ area }) => area);
}
