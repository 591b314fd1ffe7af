/** `rapsim run`: what a program finds, and what it costs. */
import { RapError, UsageError } from "../../isa/errors.ts";
import type { Recording } from "../../report/recording.ts";
import type { Command, Context } from "../command.ts";
import { checkDistinct, checkWritable, prepareFolder, writeOutput } from "../files.ts";
import { hasColor, pageWidth, write } from "../io.ts";
import { rateChoices } from "../model-options.ts";
import type { Arguments } from "../options.ts";
import type { Timed } from "../pipeline.ts";
import {
  boxesPath,
  checkRunOutputs,
  keepsRecord,
  printsText,
  RUN_OPTIONS,
  type RunOptions,
  runOptions,
} from "../run-options.ts";
import type { Picture, Values } from "../run-values.ts";

export const run: Command = {
  name: "run",
  describe: "Run a program: detections, cycles, traffic and energy",
  positional: {
    name: "program",
    required: false,
    describe: "program file, or a network to compile on the way (default: the built-in squeezedet)",
  },
  options: RUN_OPTIONS,
  examples: [
    ["rapsim run squeezedet.bin --image street.png --boxes found.png", "detections, on the picture as well"],
    [
      "rapsim run squeezedet.bin --mode timing --set dram.bytesPerCycle=25.6",
      "the same program with twice the bandwidth",
    ],
    ["rapsim run squeezedet.bin --frames 4 --overlap-frames --json -", "a stream of frames, as JSON"],
  ],
  async run(args: Arguments, context: Context) {
    const options = runOptions(args);
    const withRates = await rateChoices(args);
    await checkRunOutputs(options);
    const computing = options.mode === "timing" ? null : await import("../run-values.ts");
    const pictures = (await computing?.listPictures(options.image)) ?? [];
    await prepareOutputs(options, pictures);
    const firstPicture = computing?.startReading(pictures[0]);

    const { checked, openProgram, raceLines, simulateTime } = await import("../pipeline.ts");
    const { program, file } = await openProgram(options.program, context);
    computing?.checkHead(program.host, options);
    const ready = await checked(program, options.program ?? program.name);
    const machine = withRates(program.machine);
    const races = options.checkRaces ? await raceLines(ready, options, context) : null;
    const values: Partial<Values> =
      (await computing?.runValues(ready, pictures, firstPicture!, options, context)) ?? {};
    const { recording = NOTHING_RECORDED, ...timed }: Partial<Timed> =
      options.mode === "functional" ? {} : await simulateTime(ready, machine, options, context);
    context.progress.stop();

    const { buildReport, jsonReport, layersCsv, runHtml, textReport, timelineCsv, traceJson, unitsCsv } = await import(
      "../../report/index.ts"
    );
    const { sha256 } = await import("../../isa/index.ts");
    const { RAPSIM_VERSION } = await import("../../compiler/version.ts");
    const report = buildReport({
      rapsim: RAPSIM_VERSION,
      program: { ...program, machine },
      programSha256: sha256(file),
      mode: options.mode,
      races,
      ...values,
      ...timed,
      recording: keepsRecord(options) ? recording : undefined,
    });
    if (options.json !== undefined) await writeOutput(options.json, jsonReport(report), context.io);
    if (options.csv !== undefined) await writeOutput(options.csv, layersCsv(report), context.io);
    if (options.timeline !== undefined) {
      await writeOutput(options.timeline, timelineCsv(recording.instructions), context.io);
    }
    if (options.units !== undefined) await writeOutput(options.units, unitsCsv(report), context.io);
    if (options.html !== undefined) {
      const { picturesOf } = await import("../report-pictures.ts");
      await writeOutput(options.html, runHtml(report, await picturesOf(report)), context.io);
    }
    if (options.trace !== undefined) await writeOutput(options.trace, traceJson(report, recording), context.io);
    if (printsText(options)) {
      const { stdout, env } = context.io;
      await write(stdout, textReport(report, { color: hasColor(stdout, env), width: pageWidth(stdout) }));
    }
    if (races !== null && races.length > 0) {
      throw new RapError(`${options.program ?? program.name}: accesses to the same memory race; the report lists them`);
    }
  },
};

const NOTHING_RECORDED: Recording = { instructions: [], stalls: [], dram: [], sram: null };

/** Refuses what could not be written or would overwrite a picture, before long work is done for it. */
async function prepareOutputs(options: RunOptions, pictures: readonly Picture[]): Promise<void> {
  const { json, csv, units, timeline, trace, html, boxes, dump } = options;
  if (boxes?.kind === "file" && pictures.length > 1) {
    throw new UsageError(`--boxes ${boxes.path}: ${pictures.length} pictures need a folder, not one file`);
  }
  await checkDistinct(
    [
      { option: "--json", path: json },
      { option: "--csv", path: csv },
      { option: "--units", path: units },
      { option: "--timeline", path: timeline },
      { option: "--trace", path: trace },
      { option: "--html", path: html },
      ...(boxes === undefined
        ? []
        : pictures.map((picture) => ({ option: "--boxes", path: boxesPath(boxes, picture) }))),
    ],
    pictures.map(({ path }) => ({ option: "--image", path: path ?? undefined })),
  );
  for (const path of [json, csv, units, timeline, trace, html]) if (path !== undefined) await checkWritable(path);
  if (dump !== undefined) await prepareFolder(dump);
  if (boxes?.kind === "folder") await prepareFolder(boxes.path);
  if (boxes?.kind === "file") await checkWritable(boxes.path);
}
