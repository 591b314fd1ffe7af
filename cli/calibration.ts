/** The pictures of `--calibration`, as the quantizer takes them. */
import type { Calibration } from "../compiler/index.ts";
import type { Context } from "./command.ts";

/** More pictures hardly move an exponent, and each is run through the float network in full size. */
export const CALIBRATION_PICTURES = 16;

/** At most so many of a list, at even distances. */
function spread<T>(list: readonly T[], most: number): T[] {
  if (list.length <= most) return [...list];
  return Array.from({ length: most }, (_, i) => list[Math.floor((i * list.length) / most)]);
}

/** @throws RapError when the folder is not there or empty, or a picture cannot be read */
export async function readCalibration(folder: string, { log, progress }: Context): Promise<Calibration> {
  const { imageToFloat, listImages, readImage } = await import("../host/index.ts");
  const { sha256 } = await import("../isa/index.ts");
  const found = await listImages(folder);
  const paths = spread(found, CALIBRATION_PICTURES);
  const report = progress.stage("pictures");
  const images: Awaited<ReturnType<typeof readImage>>[] = [];
  for (const [i, path] of paths.entries()) {
    images.push(await readImage(path));
    report((i + 1) / paths.length);
  }
  log.info({ folder, found: found.length, used: paths.length }, "calibration pictures read");
  const hashes = images.map(({ width, height, rgb }) => `${width} x ${height} ${sha256(rgb)}\n`);
  return {
    pictures: images.length,
    sha256: sha256(Buffer.from(hashes.join(""), "utf8")),
    input: (index, preprocess) => imageToFloat(images[index], preprocess),
  };
}
