/** What comparisons compare of two whole runs. */
import type { TimingResult } from "../sim/result.ts";
import type { TimedReport } from "./report.ts";

type Totals = TimingResult["totals"];

/** Which way is better; null: neither. */
export type Better = "lower" | "higher" | null;

/** Name, unit, which way is better, value of a frame. */
export const TOTALS: readonly (readonly [string, string, Better, (run: TimedReport) => number])[] = [
  ["framesPerSecond", "1/s", "higher", ({ totals }) => totals.framesPerSecond],
  ["latencySeconds", "s", "lower", ({ totals }) => (totals.latencyCycles * totals.seconds) / totals.cycles],
  ["cycles", "cycles", "lower", ({ totals, frames }) => totals.cycles / frames],
  ["latencyCycles", "cycles", "lower", ({ totals }) => totals.latencyCycles],
  ["intervalCycles", "cycles", "lower", ({ totals }) => totals.intervalCycles],
  ["macUtilization", "of the peak", "higher", ({ totals }) => totals.macUtilization],
  ["energyPj", "pJ", "lower", ({ totals, frames }) => totals.energyPj.total / frames],
  ["averagePowerW", "W", "lower", ({ totals }) => totals.averagePowerW],
  ["framesPerJoule", "1/J", "higher", ({ totals }) => totals.framesPerJoule],
  ["dramReadBytes", "B", "lower", ({ totals, frames }) => totals.dramReadBytes / frames],
  ["dramWriteBytes", "B", "lower", ({ totals, frames }) => totals.dramWriteBytes / frames],
  ["macsExecuted", "MAC", "lower", ({ totals, frames }) => totals.macsExecuted / frames],
  ["instructions", "instructions", null, ({ totals, frames }) => totals.instructions / frames],
  ["areaMm2", "mm²", "lower", ({ totals }) => totals.areaMm2.total],
];

/** Kinds of traffic, in bytes of the whole run. */
export const TRAFFIC: readonly (readonly [string, (totals: Totals) => number])[] = [
  ["DRAM read", ({ dramReadBytes }) => dramReadBytes],
  ["DRAM written", ({ dramWriteBytes }) => dramWriteBytes],
  [
    "DRAM beyond what was asked for: whole bursts",
    ({ dramReadBytes, dramWriteBytes, dramRequestedBytes }) => dramReadBytes + dramWriteBytes - dramRequestedBytes,
  ],
  ["host to DRAM", ({ hostBytes }) => hostBytes],
  ["DMA, every copy of a multicast", ({ dmaBytes }) => dmaBytes],
  ["padding written by loads", ({ fillBytes }) => fillBytes],
  ["links and copies", ({ linkBytes }) => linkBytes],
  ["SRAM read", ({ sramReadBytes }) => sramReadBytes],
  ["SRAM written", ({ sramWriteBytes }) => sramWriteBytes],
];
