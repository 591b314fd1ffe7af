/** A picture of any size whose pixels differ: for tests that need one, whatever it shows. */
import type { Image } from "../../host/index.ts";

export function smallPicture(width: number, height: number, seed: number): Image {
  const rgb = Uint8Array.from({ length: width * height * 3 }, (_, i) => Math.imul(i + seed * 7919, 0x9e3779b1) >>> 24);
  return { width, height, rgb };
}
