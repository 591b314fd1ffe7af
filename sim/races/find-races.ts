/**
 * Races: two accesses to the same bytes, one of them a write, that happens-before does not order (docs/races.md).
 * Whatever the timing of a run, a program without races computes what its program order computes.
 */
import {
  type Access,
  type CheckedProgram,
  effects,
  type MemorySpace,
  NO_LAYER,
  nameInstruction,
  type Program,
  type Region,
  unitKindOf,
} from "../../isa/index.ts";
import type { LoggedAccess } from "./access-log.ts";
import { Memories } from "./memories.ts";
import { type Event, Order, type OrderOptions, PROLOGUE } from "./order.ts";
import { type ByteRange, firstOverlap } from "./overlap.ts";

export interface RaceSide {
  /** Index into all instructions, prologue first. */
  readonly index: number;
  /** As nameInstruction() gives it. */
  readonly instruction: string;
  readonly layer: string | null;
  readonly agent: number;
  readonly unit: string;
  /** -1: the prologue. */
  readonly frame: number;
  readonly write: boolean;
}

export class Race {
  constructor(
    readonly space: MemorySpace,
    /** Agent and tensor processor whose memory it is; 0 for DRAM. */
    readonly agent: number,
    readonly tp: number,
    /** The first bytes both touch: begin..end - 1. */
    readonly begin: number,
    readonly end: number,
    /** In program order. */
    readonly first: RaceSide,
    readonly second: RaceSide,
  ) {}

  /** One line with both instructions, their agents, and the bytes. */
  toString(): string {
    const { space, agent, begin, end, first, second } = this;
    const memory = space === "dram" ? "dram" : `${space} of agent ${agent}`;
    const own = first.index === second.index && first.agent === second.agent && first.frame === second.frame;
    const reason = own ? "it overwrites its own operand" : "nothing orders them";
    return `${memory}, bytes ${begin}..${end}: ${sideText(first)} and ${sideText(second)}; ${reason}`;
  }
}

function sideText({ instruction, agent, frame, write }: RaceSide): string {
  const when = frame === PROLOGUE ? "" : `, frame ${frame}`;
  return `${instruction} in agent ${agent}${when} ${write ? "writes" : "reads"}`;
}

export interface RaceOptions extends OrderOptions {
  /** Races reported at most; a pair of instructions counts once per kind of memory. */
  readonly limit?: number;
  /** Accesses remembered per memory before the first attempt to forget some. It changes speed, not results. */
  readonly forgetAt?: number;
}

/** Finds the races of a program over some frames (default 2), in program order of the later access. */
export function findRaces(checked: CheckedProgram, options: RaceOptions = {}): Race[] {
  const { frames = 2, overlapFrames = false, limit = 20, forgetAt = 256 } = options;
  const { program, bound } = checked;
  const order = new Order(checked, { frames, overlapFrames });
  const memories = new Memories(checked, order, forgetAt);
  const races: Race[] = [];
  const seen = new Set<string>();
  const report = ({ space, agent, tp }: Access, bytes: ByteRange, first: LoggedAccess, second: LoggedAccess) => {
    const key = `${first.event.index},${second.event.index},${space}`;
    if (seen.has(key) || races.length >= limit) return;
    seen.add(key);
    races.push(new Race(space, agent, tp, bytes.begin, bytes.end, side(checked, first), side(checked, second)));
  };
  order.walk((event) => {
    if (races.length >= limit) return;
    const accesses = effects(program, bound[event.index], event.agent);
    if (accesses.length === 0) return;
    const { clock, ...who } = event;
    for (const access of accesses) {
      const { write, region } = access;
      const second = { event: who, write, region };
      memories.logOf(access, event.thread).add(second, clock, (first, bytes) => report(access, bytes, first, second));
    }
    reportOwn(checked, who, accesses, report);
  });
  return races;
}

/** Operations that handle element after element, so that source and destination may be the same bytes. */
const IN_PLACE: ReadonlySet<string> = new Set(["add", "copy"]);

/** What one agent's share of an instruction reads and overwrites itself: SRAM only, registers and accumulators are meant so. */
function reportOwn(
  { bound }: CheckedProgram,
  event: Omit<Event, "clock">,
  accesses: readonly Access[],
  report: (access: Access, bytes: ByteRange, first: LoggedAccess, second: LoggedAccess) => void,
): void {
  const inPlace = IN_PLACE.has(bound[event.index].instruction.op);
  for (const read of accesses) {
    if (read.write || read.space !== "sram") continue;
    for (const written of accesses) {
      if (!written.write || written.space !== "sram" || written.agent !== read.agent) continue;
      if (inPlace && equalRegions(read.region, written.region)) continue;
      const bytes = firstOverlap(read.region, written.region);
      if (bytes !== null) report(written, bytes, { event, ...read }, { event, ...written });
    }
  }
}

function equalRegions(a: Region, b: Region): boolean {
  return (
    a.base === b.base &&
    a.n0 === b.n0 &&
    a.pitch0 === b.pitch0 &&
    a.n1 === b.n1 &&
    a.pitch1 === b.pitch1 &&
    a.bytes === b.bytes
  );
}

function side({ program, bound }: CheckedProgram, { event, write }: LoggedAccess): RaceSide {
  const { index, agent, frame } = event;
  return {
    index,
    instruction: nameInstruction(program, index),
    layer: layerName(program, index),
    agent,
    unit: unitKindOf(bound[index].instruction)!,
    frame,
    write,
  };
}

function layerName(program: Program, index: number): string | null {
  const { layer } = program.sourceMap[index];
  return layer === NO_LAYER ? null : program.layers[layer].name;
}
