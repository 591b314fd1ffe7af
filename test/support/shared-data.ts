// The data beside the repository (a trained network, photographs): where it is, or why a test that needs it is skipped.
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";

const folder = resolve(process.env.RAPSIM_SHARED ?? "../shared");

export const shared = {
  model: join(folder, "models", "squeezedet-kitti.onnx"),
  sidecar: join(folder, "models", "squeezedet-kitti.json"),
  photos: join(folder, "kitti", "image_2"),
  detections: join(folder, "expected", "float-detections"),
};

const missing = Object.values(shared).find((path) => !existsSync(path));

/** Why tests on this data are skipped, or null when it is there. RAPSIM_SHARED set and something missing is an error. */
export const whySkipped =
  missing === undefined
    ? null
    : `${missing} is not there; set RAPSIM_SHARED to the folder that holds models, kitti and expected`;
if (whySkipped !== null && process.env.RAPSIM_SHARED !== undefined) throw new Error(whySkipped);
