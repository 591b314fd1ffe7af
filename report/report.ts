/** One run of a program as data: what `--json` writes (schema docs/report.schema.json) and what the text is made from. */
import { type Head, type MachineParameters, machineSha256, type Program, type Provenance } from "../isa/index.ts";
import type { LayerResult, TimingResult, UnitResult } from "../sim/result.ts";
import type { Recording } from "./recording.ts";
import { type RunRecord, recordOf } from "./run-record.ts";

export const REPORT_SCHEMA = "rapsim.report/1";

/** full: values and time; timing: time alone, no MAC is executed; functional: values alone. */
export type RunMode = "full" | "timing" | "functional";

/** A picture that was run. */
export interface ReportImage {
  readonly image: string;
  readonly width: number;
  readonly height: number;
  /** What a detector should find in it; absent where nobody knows. */
  readonly objects?: readonly ReportObject[];
}

/** An object that is known to be in a picture. */
export interface ReportObject {
  readonly class: string;
  readonly box: readonly [x0: number, y0: number, x1: number, y1: number];
  /** Intersection over union with the detection of its class that belongs to it; 0: it was not found. */
  readonly iou: number;
}

/** A box in pixels of the given picture; score = confidence x class probability. */
export interface ReportDetection {
  readonly image: string;
  readonly class: string;
  readonly score: number;
  readonly box: readonly [x0: number, y0: number, x1: number, y1: number];
}

export interface ReportClassification {
  readonly image: string;
  /** Highest score first. */
  readonly top: readonly { readonly class: string; readonly score: number }[];
}

/** An output tensor of one picture. Equal hashes mean equal bits. */
export interface ReportOutput {
  readonly image: string;
  readonly tensor: string;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly format: string;
  /** Smallest and largest value, as real numbers. */
  readonly minimum: number;
  readonly maximum: number;
  /** SHA-256 of the tensor's integers, little-endian, [H, W, C]. */
  readonly sha256: string;
}

export interface Report {
  readonly schema: typeof REPORT_SCHEMA;
  /** Version of rapsim that made the report. */
  readonly rapsim: string;
  readonly program: {
    readonly name: string;
    readonly sha256: string;
    /** What the outputs are read as; null: raw tensors. */
    readonly head: Head["kind"] | null;
    /** False: what the network finds means nothing. */
    readonly trained: boolean;
    readonly provenance: Provenance;
  };
  /** The machine that was simulated, `--set` included. */
  readonly machine: { readonly name: string; readonly sha256: string; readonly parameters: MachineParameters };
  readonly mode: RunMode;
  /** Frames that were timed; in functional mode, pictures that were run. */
  readonly frames: number;
  readonly overlapFrames: boolean;
  /** null in functional mode */
  readonly totals: TimingResult["totals"] | null;
  readonly units: readonly UnitResult[];
  readonly layers: readonly LayerResult[];
  readonly images: readonly ReportImage[];
  readonly detections: readonly ReportDetection[];
  readonly classifications: readonly ReportClassification[];
  readonly outputs: readonly ReportOutput[];
  /** Pairs of accesses that nothing orders, one line each; null: not looked for. */
  readonly races: readonly string[] | null;
  /** What the reader must know before believing a number. */
  readonly warnings: readonly string[];
  readonly notModelled: readonly string[];
  /** What happened when; null: nothing was timed, or too many frames to keep it. */
  readonly record: RunRecord | null;
}

/** One with time. */
export type TimedReport = Report & { readonly totals: TimingResult["totals"] };

export interface ReportParts {
  readonly rapsim: string;
  /** With the machine it was simulated on. */
  readonly program: Pick<Program, "name" | "machine" | "host" | "provenance">;
  readonly programSha256: string;
  readonly mode: RunMode;
  readonly timing?: TimingResult | undefined;
  readonly images?: readonly ReportImage[];
  readonly detections?: readonly ReportDetection[];
  readonly classifications?: readonly ReportClassification[];
  readonly outputs?: readonly ReportOutput[];
  readonly races?: readonly string[] | null;
  readonly warnings?: readonly string[];
  readonly notModelled?: readonly string[];
  readonly recording?: Recording | undefined;
}

const UNTRAINED =
  "The weights are not trained: what the network finds means nothing. Time, traffic and energy do not depend on it.";

export function buildReport(parts: ReportParts): Report {
  const { program, timing, images = [], recording } = parts;
  const { machine } = program;
  const timed = { totals: timing?.totals ?? null, units: timing?.units ?? [], layers: timing?.layers ?? [] };
  return {
    schema: REPORT_SCHEMA,
    rapsim: parts.rapsim,
    program: {
      name: program.name,
      sha256: parts.programSha256,
      head: program.host.head?.kind ?? null,
      trained: program.host.trained,
      provenance: program.provenance,
    },
    machine: { name: machine.name, sha256: machineSha256(machine), parameters: machine.parameters },
    mode: parts.mode,
    frames: timing?.frames ?? images.length,
    overlapFrames: timing?.overlapFrames ?? false,
    ...timed,
    images,
    detections: parts.detections ?? [],
    classifications: parts.classifications ?? [],
    outputs: parts.outputs ?? [],
    races: parts.races ?? null,
    warnings: [...(program.host.trained ? [] : [UNTRAINED]), ...(parts.warnings ?? [])],
    notModelled: parts.notModelled ?? [],
    record: recording === undefined ? null : recordOf(timed, recording),
  };
}

/** Said where exponents are not simply constants that no picture was needed for. */
export function scalingText({ options: { scaling = "static" } }: Provenance): string {
  return scaling === "static" ? "" : `, ${scaling} scaling`;
}

/** The report as a file: what a reader looks for on lines of its own, the record at the end on few. */
export function jsonReport({ record, ...readable }: Report): string {
  const text = JSON.stringify(readable, null, 2);
  return `${text.slice(0, -2)},\n  "record": ${record === null ? "null" : recordLines(record)}\n}\n`;
}

function recordLines(record: RunRecord): string {
  const { tracks, ...others } = record;
  const lines = Object.entries(others).map(([key, value]) => `    ${JSON.stringify(key)}: ${JSON.stringify(value)}`);
  const trackLines = tracks.map((track) => `      ${JSON.stringify(track)}`);
  return `{\n${lines.join(",\n")},\n    "tracks": [\n${trackLines.join(",\n")}\n    ]\n  }`;
}
