/** An area proxy: what the machine's arrays, memories and lanes take, for comparing machines, not for a floor plan. */
import type { MachineParameters } from "../isa/index.ts";
import { areaScale } from "./technology.ts";

const UM2_PER_MM2 = 1e6;

const AREA_PARTS = ["mac", "sram", "accumulator", "lanes", "control"] as const;
export type AreaMm2 = { readonly [K in (typeof AREA_PARTS)[number]]: number } & { readonly total: number };

/** Area of the chip's agents in square millimetres at its node. Pads, DRAM interface and host are not in it. */
export function areaMm2(p: MachineParameters): AreaMm2 {
  const scale = areaScale(p) / UM2_PER_MM2;
  const tensorProcessors = p.agents * p["agent.tensorProcessors"];
  const memory = (bytes: number) => 8 * bytes * p["area.sramUm2PerBit"] * scale;
  const parts = {
    mac: tensorProcessors * p["array.rows"] * p["array.cols"] * p["area.macUm2"] * scale,
    sram: memory(p.agents * p["sram.bytes"]),
    accumulator: memory(tensorProcessors * p["array.accumulatorBytes"]),
    lanes: tensorProcessors * (p["shift.lanes"] + p["pool.lanes"] + p["range.lanes"]) * p["area.laneUm2"] * scale,
    control: p.agents * p["area.agentUm2"] * scale,
  };
  return { ...parts, total: AREA_PARTS.reduce((sum, name) => sum + parts[name], 0) };
}
