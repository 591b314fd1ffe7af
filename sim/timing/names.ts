/** What the engine's numbers are called in results and events. */
import { type CheckedProgram, unitCount, unitName } from "../../isa/index.ts";

/** Layer names by slot. */
export function slotNames({ program }: CheckedProgram): string[] {
  return ["(start)", ...program.layers.map(({ name }) => name), "(end)"];
}

/** Agent and name of a unit of the chip. */
export function unitPlaces({ program }: CheckedProgram): (unit: number) => { agent: number; unit: string } {
  const tensorProcessors = program.machine.parameters["agent.tensorProcessors"];
  const units = unitCount(tensorProcessors);
  return (unit) => ({ agent: Math.floor(unit / units), unit: unitName(unit % units, tensorProcessors) });
}
