/** What the formats and scales of a sweep find: average precision, measured once for each quantized network. */

import { DEFAULT_MACHINE, loadPreset, sha256 } from "../isa/index.ts";
import { besideSpace, type Calibration, located, type Space } from "../sweep/index.ts";
import { readCalibration } from "./calibration.ts";
import type { Context } from "./command.ts";
import { evaluateProgram } from "./eval-program.ts";
import { compileProgram } from "./pipeline.ts";

/** Low enough for the whole curve of precision and recall, as of `rapsim eval`. */
const DEFAULT_THRESHOLD = 0.005;

/** Mean average precision of a .rapq file; photographs that are done stay in the folder. null: no data set is given. */
export async function precisionMeasure(
  space: Space,
  folder: string,
  threads: number,
  context: Context,
): Promise<((rapq: string) => Promise<number>) | null> {
  const { dataset } = space;
  if (dataset === null) return null;
  const { readKittiFolder } = await import("../host/evaluation/kitti-folder.ts");
  const place = besideSpace(space.place, dataset.folder);
  const split = dataset.split === undefined ? undefined : besideSpace(space.place, dataset.split);
  const photos = await readKittiFolder(place, split).catch((error: unknown) => {
    throw located(space.placeOf("dataset"), error);
  });
  return async (rapq) => {
    // precision does not depend on the machine
    const program = await compileProgram(rapq, { machine: loadPreset(DEFAULT_MACHINE) }, context);
    const options = {
      dataset: place,
      split,
      float: undefined,
      threshold: dataset.threshold ?? DEFAULT_THRESHOLD,
      points: 11,
      ignoreSmall: false,
      json: undefined,
      output: `${folder}/${sha256(program.file).slice(0, 16)}`,
      worst: 0,
      resume: true,
      threads,
    } as const;
    const { report } = await evaluateProgram(program, rapq, null, photos, options, context);
    return report.mean.int8!.value!;
  };
}

export async function calibrationOf(space: Space, context: Context): Promise<Calibration | null> {
  if (space.calibration === null) return null;
  return readCalibration(besideSpace(space.place, space.calibration), context).catch((error: unknown) => {
    throw located(space.placeOf("calibration"), error);
  });
}
