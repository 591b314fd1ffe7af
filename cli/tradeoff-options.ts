/** The options of `rapsim tradeoff`, read and checked. */
import { resolve } from "node:path";
import { listNames, UsageError } from "../isa/errors.ts";
import { EVAL_OPTIONS, type EvalOptions, evalOptions } from "./eval-options.ts";
import {
  MACHINE_OPTIONS,
  QUANTIZE_AXES,
  QUANTIZE_OPTIONS,
  type QuantizeChoices,
  quantizeChoices,
} from "./model-options.ts";
import { type Arguments, text, textOf } from "./options.ts";

type Axis = keyof typeof QUANTIZE_AXES;
const AXES = Object.keys(QUANTIZE_AXES) as Axis[];

const isAxis = (option: string): option is Axis => AXES.includes(option as Axis);
const pick = <T>(options: Readonly<Record<string, T>>, isWanted: (option: string) => boolean) =>
  Object.fromEntries(Object.entries(options).filter(([option]) => isWanted(option)));

/** Not for a table: the float network is the model, and no picture is drawn. */
const LEFT_OUT: readonly string[] = ["float", "worst", "rescale"];

export const TRADEOFF_OPTIONS = {
  ...pick(EVAL_OPTIONS, (option) => !LEFT_OUT.includes(option)),
  json: text("write the table as JSON; - for standard output, without the text"),
  csv: text("write the table as CSV; - for standard output, without the text"),
  output: text("folder for the rows as they are done, and their detections", { alias: "o" }),
  resume: { ...EVAL_OPTIONS.resume, describe: "go on with the table in the -o folder; a row that is done stays" },
  ...MACHINE_OPTIONS,
  ...Object.fromEntries(
    AXES.map((axis) => [
      axis,
      text(`rows: only these of ${QUANTIZE_AXES[axis].join(", ")}, with commas between (default: all)`),
    ]),
  ),
  ...pick(QUANTIZE_OPTIONS, (option) => !isAxis(option) && !LEFT_OUT.includes(option)),
};

export interface TradeoffOptions {
  readonly evaluation: EvalOptions;
  readonly csv: string | undefined;
  /** One for each row. */
  readonly rows: readonly RowChoices[];
  /** What all rows are quantized with besides. */
  readonly common: QuantizeChoices;
}

export interface RowChoices {
  /** Of the row's folder, and in messages: `u8-i32`. */
  readonly name: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly choices: QuantizeChoices;
}

/** The values of an axis that its option names. */
function valuesOf(args: Arguments, axis: Axis): readonly string[] {
  const known: readonly string[] = QUANTIZE_AXES[axis];
  const given = textOf(args, axis)?.split(",");
  if (given === undefined) return known;
  for (const value of given) {
    if (!known.includes(value)) throw new UsageError(`--${axis}: '${value}' is not one of ${listNames(known)}`);
  }
  return known.filter((value) => given.includes(value));
}

/** Every combination of the axes' values. */
function combinations(args: Arguments): Record<string, string>[] {
  const rows = AXES.reduce<Record<string, string>[]>(
    (found, axis) => found.flatMap((row) => valuesOf(args, axis).map((value) => ({ ...row, [axis]: value }))),
    [{}],
  );
  // without pictures there is nothing to calibrate by, unless it is asked for: then that is refused
  const canCalibrate = args.calibration !== undefined || args.scaling !== undefined;
  return canCalibrate ? rows : rows.filter((row) => !isCalibrated(row));
}

const isCalibrated = ({ scaling }: Readonly<Record<string, string>>) => scaling === "calibrated";

export function tradeoffOptions(args: Arguments): TradeoffOptions {
  const { calibration, ...others } = args;
  const rows = combinations(args).map((settings) => ({
    name: Object.values(settings).join("-"),
    settings,
    choices: quantizeChoices({ ...others, ...settings, ...(isCalibrated(settings) ? { calibration } : {}) }),
  }));
  const folder = textOf(args, "calibration");
  if (folder !== undefined && !rows.some(({ settings }) => isCalibrated(settings))) {
    throw new UsageError("--calibration is for rows with scaling calibrated; --scaling leaves them out");
  }
  const noAxes = Object.fromEntries(AXES.map((axis) => [axis, undefined]));
  return {
    evaluation: evalOptions(args),
    csv: textOf(args, "csv"),
    rows,
    common: {
      ...quantizeChoices({ ...others, ...noAxes }),
      ...(folder === undefined ? {} : { calibration: resolve(folder) }),
    },
  };
}
