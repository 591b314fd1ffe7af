import { type CheckedProgram, effects, type Region, regionEnd, unitKindOf } from "../../isa/index.ts";
import { analyseOrder } from "../../sim/races/index.ts";

/** Every byte of a region. */
export function bytesOf(r: Region): Set<number> {
  const bytes = new Set<number>();
  for (let i = 0; i < r.n0; i++) {
    for (let j = 0; j < r.n1; j++) {
      for (let k = 0; k < r.bytes; k++) bytes.add(r.base + i * r.pitch0 + j * r.pitch1 + k);
    }
  }
  if (Math.max(...bytes) !== regionEnd(r) - 1) throw new Error("regionEnd is wrong");
  return bytes;
}

export interface BruteRace {
  readonly first: number;
  readonly second: number;
  readonly space: string;
}

/** All races, by comparing every access with every other, byte by byte. Those within one agent's instruction apart. */
export function allRaces(checked: CheckedProgram, frames: number, overlapFrames: boolean): BruteRace[] {
  const { program, bound } = checked;
  const { agents } = program.machine.parameters;
  const { happensBefore } = analyseOrder(checked, { frames, overlapFrames });
  const body = program.prologue.length;
  const runs = [{ frame: -1, from: 0, to: body }];
  for (let frame = 0; frame < frames; frame++) runs.push({ frame, from: body, to: bound.length });
  const accesses = runs.flatMap(({ frame, from, to }) =>
    bound.slice(from, to).flatMap((item, i) => {
      if (unitKindOf(item.instruction) === null) return [];
      return Array.from({ length: agents }, (_, agent) => ({ index: from + i, agent, frame })).flatMap((point) =>
        effects(program, item, point.agent).map((access) => ({ point, access, bytes: bytesOf(access.region) })),
      );
    }),
  );
  const races = new Map<string, BruteRace>();
  accesses.forEach((b, j) => {
    for (const a of accesses.slice(0, j)) {
      if (!a.access.write && !b.access.write) continue;
      if (a.access.space !== b.access.space || a.access.agent !== b.access.agent || a.access.tp !== b.access.tp)
        continue;
      if (a.point === b.point || happensBefore(a.point, b.point)) continue;
      if (![...a.bytes].some((byte) => b.bytes.has(byte))) continue;
      const race = { first: a.point.index, second: b.point.index, space: a.access.space };
      races.set(JSON.stringify(race), race);
    }
  });
  return [...races.values()];
}
