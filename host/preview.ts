/** A picture small enough for a page. */
import type { Image } from "./image.ts";

const MOST_WIDTH = 1248;

/** JPEG of the picture, no wider than a page shows; nothing of the file it came from is kept but its pixels. */
export async function previewJpeg({ width, height, rgb }: Image): Promise<Uint8Array> {
  const { default: sharp } = await import("sharp");
  return sharp(rgb, { raw: { width, height, channels: 3 } })
    .resize({ width: MOST_WIDTH, withoutEnlargement: true })
    .jpeg({ quality: 80, mozjpeg: true })
    .toBuffer();
}
