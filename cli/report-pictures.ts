/** The pictures of a report for its page, as far as they are still where the report says. */
import { MAX_IMAGE_PIXELS, previewJpeg, readImage } from "../host/index.ts";
import { RapError } from "../isa/errors.ts";
import type { Report, ReportImage } from "../report/report.ts";
import type { Pictures } from "../report/run-photos.ts";
import { GENERATED_NAME, generatedScene } from "./generated-scene.ts";

/** All of them together: a page may have 2 MB. */
const MOST_BYTES = 700_000;

export async function picturesOf({ images }: Pick<Report, "images">): Promise<Pictures> {
  const pictures = new Map<string, string>();
  let bytes = 0;
  for (const image of images) {
    const jpeg = await preview(image);
    if (jpeg === null) continue;
    bytes += jpeg.length;
    if (bytes > MOST_BYTES) break;
    pictures.set(image.image, `data:image/jpeg;base64,${Buffer.from(jpeg).toString("base64")}`);
  }
  return pictures;
}

/** null: the file is gone, another picture has taken its place, or it is none that a run would take */
async function preview({ image: name, width, height }: ReportImage): Promise<Uint8Array | null> {
  if (width * height > MAX_IMAGE_PIXELS) return null;
  try {
    const image = name === GENERATED_NAME ? generatedScene().image : await readImage(name);
    return image.width === width && image.height === height ? await previewJpeg(image) : null;
  } catch (error) {
    if (error instanceof RapError) return null;
    throw error;
  }
}
