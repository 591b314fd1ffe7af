/** The options of `rapsim run`, read and checked: what contradicts itself is refused before anything is loaded. */
import { existsSync, statSync } from "node:fs";
import { extname, join } from "node:path";
import { UsageError } from "../isa/errors.ts";
import type { RunMode } from "../report/report.ts";
import { checkDistinct, STANDARD_OUTPUT } from "./files.ts";
import { type Arguments, choiceOf, flag, flagOf, numberOf, refuseOptions, text, textOf } from "./options.ts";

export const RUN_OPTIONS = {
  image: text("picture (PNG, JPEG), or a folder of them: all are run (default: a generated scene)"),
  threshold: text("keep detections whose score is above this, 0..1 (default: the program's)"),
  mode: text("full: values and time; timing: time alone; functional: values alone (default full)"),
  set: text("change one rate of the machine, as dram.bytesPerCycle=25.6; may be repeated"),
  frames: text("frames to time, for the steady state between them (default 1)"),
  "overlap-frames": flag("a frame may begin before the one before it has ended"),
  json: text("write the report as JSON; - for standard output, without the text"),
  csv: text("write the layer table as CSV; - for standard output, without the text"),
  units: text("write busy and stall cycles of every unit as CSV; - for standard output, without the text"),
  timeline: text(
    "write every instruction's start and end in every agent as CSV; - for standard output, without the text",
  ),
  trace: text("write units, stalls, bandwidth and power over time as a trace for ui.perfetto.dev (JSON)"),
  html: text("write the report as one page for a browser"),
  boxes: text("write the picture with its detections drawn: a .png file, or a folder for several"),
  dump: text("write every layer's int32 accumulators, and the outputs, into this folder as .npy files"),
  "check-races": flag("look for accesses to the same memory that nothing orders; exit code 1 if there are any"),
  kernels: text("inner loops of the values: wasm, or their twin in plain TypeScript (default wasm)"),
  threads: text("threads that compute the values, each those of some agents; the values are the same (default 1)"),
};

export interface RunOptions {
  /** undefined: the embedded default */
  readonly program: string | undefined;
  readonly image: string | undefined;
  readonly threshold: number | undefined;
  readonly mode: RunMode;
  readonly frames: number;
  readonly overlapFrames: boolean;
  readonly json: string | undefined;
  readonly csv: string | undefined;
  readonly units: string | undefined;
  readonly timeline: string | undefined;
  readonly trace: string | undefined;
  readonly html: string | undefined;
  readonly boxes: BoxesPlace | undefined;
  readonly dump: string | undefined;
  readonly checkRaces: boolean;
  readonly kernels: "wasm" | "twin";
  readonly threads: number;
}

/** Where pictures with boxes go. */
export interface BoxesPlace {
  readonly kind: "file" | "folder";
  readonly path: string;
}

const MOST_FRAMES = 10_000;
/** As many as a chip has agents. */
const MOST_THREADS = 256;

export function runOptions(args: Arguments): RunOptions {
  const mode = choiceOf(args, "mode", ["full", "timing", "functional"]) ?? "full";
  if (mode === "timing") {
    refuseOptions(
      args,
      ["image", "threshold", "boxes", "dump", "kernels", "threads"],
      "with --mode timing, which computes no values",
    );
  }
  if (mode === "functional") {
    refuseOptions(
      args,
      ["set", "frames", "overlap-frames", "csv", "units", "timeline", "trace"],
      "with --mode functional, which counts no time",
    );
  }
  const frames = numberOf(args, "frames", { min: 1, max: MOST_FRAMES, whole: true }) ?? 1;
  const overlapFrames = flagOf(args, "overlap-frames");
  if (overlapFrames && frames === 1) throw new UsageError("--overlap-frames needs at least two frames: add --frames N");
  const boxes = textOf(args, "boxes");
  const dump = textOf(args, "dump");
  const kernels = choiceOf(args, "kernels", ["wasm", "twin"]) ?? "wasm";
  const threads = numberOf(args, "threads", { min: 1, max: MOST_THREADS, whole: true }) ?? 1;
  if (threads > 1 && dump !== undefined) throw new UsageError("--threads: accumulators are dumped by one thread alone");
  if (threads > 1 && kernels === "twin") throw new UsageError("--threads: the twin kernels run in one thread alone");
  return {
    program: textOf(args, "program"),
    image: textOf(args, "image"),
    threshold: numberOf(args, "threshold", { min: 0, max: 1 }),
    mode,
    frames,
    overlapFrames,
    json: textOf(args, "json"),
    csv: textOf(args, "csv"),
    units: textOf(args, "units"),
    timeline: textOf(args, "timeline"),
    trace: textOf(args, "trace"),
    html: textOf(args, "html"),
    boxes: boxes === undefined ? undefined : boxesPlace(boxes),
    dump,
    checkRaces: flagOf(args, "check-races"),
    kernels,
    threads,
  };
}

/** A folder when it is one or has no extension; else a .png file. */
function boxesPlace(path: string): BoxesPlace {
  const isFolder = existsSync(path) ? statSync(path).isDirectory() : path.endsWith("/") || extname(path) === "";
  if (isFolder) return { kind: "folder", path };
  if (extname(path).toLowerCase() !== ".png") {
    throw new UsageError(
      `--boxes: pictures are written as PNG; give a name ending in .png, or a folder, not '${path}'`,
    );
  }
  return { kind: "file", path };
}

/** No output may overwrite another or an input. */
export async function checkRunOutputs({
  program,
  image,
  json,
  csv,
  units,
  timeline,
  trace,
  html,
  boxes,
}: RunOptions): Promise<void> {
  await checkDistinct(
    [
      { option: "--json", path: json },
      { option: "--csv", path: csv },
      { option: "--units", path: units },
      { option: "--timeline", path: timeline },
      { option: "--trace", path: trace },
      { option: "--html", path: html },
      { option: "--boxes", path: boxes?.kind === "file" ? boxes.path : undefined },
    ],
    [
      { option: "PROGRAM", path: program },
      { option: "--image", path: image },
    ],
  );
}

/** Where one picture is drawn, with its boxes. */
export function boxesPath(boxes: NonNullable<RunOptions["boxes"]>, { stem }: { readonly stem: string }): string {
  return boxes.kind === "file" ? boxes.path : join(boxes.path, `${stem}.png`);
}

/** Of more frames it would not be kept whole in memory, nor on a page. */
const MOST_RECORDED_FRAMES = 16;

/** Reports and pages hold what happened when, unless that is too much. */
export function keepsRecord({ json, html, frames }: RunOptions): boolean {
  return (json !== undefined || html !== undefined) && frames <= MOST_RECORDED_FRAMES;
}

/** The text report goes to standard output unless a file was asked for there. */
export function printsText({ json, csv, units, timeline, trace, html }: RunOptions): boolean {
  return ![json, csv, units, timeline, trace, html].includes(STANDARD_OUTPUT);
}
