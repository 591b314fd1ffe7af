/** The options of `rapsim eval`, read and checked: what contradicts itself is refused before anything is loaded. */
import { availableParallelism } from "node:os";
import { UsageError } from "../isa/errors.ts";
import { checkDistinct } from "./files.ts";
import { type Arguments, choiceOf, flag, flagOf, numberOf, text, textOf } from "./options.ts";

export const EVAL_OPTIONS = {
  dataset: text("folder in KITTI's layout: photographs in image_2, labels in label_2"),
  split: text("evaluate the photographs that this file names, one a line (default: all)"),
  float: text("evaluate this network (ONNX file, built-in name) in float as well, and compare"),
  threshold: text("evaluate detections whose score is above this, 0..1 (default 0.005)"),
  points: text("samples of the curve that make an average precision: 11 or 40 (default 11)"),
  "ignore-small": flag("leave out detections below a level's minimum height, as KITTI does since April 2017"),
  json: text("write the evaluation as JSON; - for standard output, without the text"),
  output: text("folder for detections, curves and pictures", { alias: "o" }),
  worst: text("draw the photographs on which INT8 and float differ most, so many; needs --float and -o"),
  resume: flag("go on with the evaluation in the -o folder; what it has is not computed again"),
  threads: text("photographs evaluated at a time (default: one for each core)"),
};

export interface EvalOptions {
  readonly dataset: string;
  readonly split: string | undefined;
  readonly float: string | undefined;
  readonly threshold: number;
  readonly points: 11 | 40;
  readonly ignoreSmall: boolean;
  readonly json: string | undefined;
  readonly output: string | undefined;
  /** 0: none */
  readonly worst: number;
  readonly resume: boolean;
  readonly threads: number;
}

/** Low enough for the whole curve of precision and recall. */
const DEFAULT_THRESHOLD = 0.005;
const MOST_PICTURES = 10_000;
const MOST_THREADS = 1024;

/** @param defaults where the command has them: data set and float network */
export function evalOptions(
  args: Arguments,
  defaults: Partial<Pick<EvalOptions, "dataset" | "float">> = {},
): EvalOptions {
  const dataset = textOf(args, "dataset") ?? defaults.dataset;
  if (dataset === undefined) throw new UsageError("--dataset: a folder with photographs and labels is needed");
  const float = textOf(args, "float") ?? defaults.float;
  const [output, resume] = [textOf(args, "output"), flagOf(args, "resume")];
  const worst = numberOf(args, "worst", { min: 1, max: MOST_PICTURES, whole: true }) ?? 0;
  if (worst > 0 && float === undefined)
    throw new UsageError("--worst needs a network to compare with: add --float MODEL");
  if (worst > 0 && output === undefined) throw new UsageError("--worst needs a folder for its pictures: add -o DIR");
  if (resume && output === undefined) throw new UsageError("--resume needs the folder to go on in: add -o DIR");
  return {
    dataset,
    split: textOf(args, "split"),
    float,
    threshold: numberOf(args, "threshold", { min: 0, max: 1 }) ?? DEFAULT_THRESHOLD,
    points: choiceOf(args, "points", ["11", "40"]) === "40" ? 40 : 11,
    ignoreSmall: flagOf(args, "ignore-small"),
    json: textOf(args, "json"),
    output,
    worst,
    resume,
    threads: numberOf(args, "threads", { min: 1, max: MOST_THREADS, whole: true }) ?? availableParallelism(),
  };
}

/** The JSON file may not overwrite an input. */
export async function checkEvalOutputs(program: string, { split, float, json }: EvalOptions): Promise<void> {
  await checkDistinct(
    [{ option: "--json", path: json }],
    [
      { option: "PROGRAM", path: program },
      { option: "--split", path: split },
      { option: "--float", path: float },
    ],
  );
}
