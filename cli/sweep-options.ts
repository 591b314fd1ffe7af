/** The options of `rapsim sweep`, read and checked. */
import { availableParallelism } from "node:os";
import { UsageError } from "../isa/errors.ts";
import { type Arguments, flag, flagOf, numberOf, refuseOptions, text, textOf } from "./options.ts";

export const SWEEP_OPTIONS = {
  output: text("folder for results, report and quantized networks", { alias: "o" }),
  workers: text("points evaluated at a time (default: one for each core)"),
  redis: text("evaluate on the machines that run rapsim worker: redis://host:port, or rediss:// for TLS"),
  resume: flag("go on with the sweep in the -o folder; a point that has its row is not evaluated again"),
  limit: text("evaluate the first so many points only; must be given for a space of more than 100,000"),
  best: flag("write the machine files of the points on the front, and print how each is repeated; goes on with -o"),
};

export interface SweepChoices {
  readonly output: string;
  readonly workers: number;
  readonly redis: string | undefined;
  readonly resume: boolean;
  readonly limit: number | undefined;
  readonly best: boolean;
}

const MOST_WORKERS = 1024;
const MOST_LIMIT = 1_000_000;

export function sweepOptions(args: Arguments): SweepChoices {
  const output = textOf(args, "output");
  if (output === undefined) throw new UsageError("--output: a folder for the results is needed: add -o DIR");
  const redis = textOf(args, "redis");
  if (redis !== undefined) refuseOptions(args, ["workers"], "with --redis; give rapsim worker its --concurrency");
  return {
    output,
    workers: numberOf(args, "workers", { min: 1, max: MOST_WORKERS, whole: true }) ?? availableParallelism(),
    redis,
    resume: flagOf(args, "resume"),
    limit: numberOf(args, "limit", { min: 1, max: MOST_LIMIT, whole: true }),
    best: flagOf(args, "best"),
  };
}
