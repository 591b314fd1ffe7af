/** Margins of tensors that stay in SRAM between phases: what neighbours need of each other's parts goes over links. */
import { instruction } from "../../isa/index.ts";
import { axis, copyTile, type Draft, type Place } from "../../kernels/index.ts";
import type { PartView } from "./parts.ts";

/** An exchange of margins between neighbours: every agent sends what the agents around it need of its part. */
export function exchangeMargins(part: PartView, place: Place): Draft[] {
  const { view, tile, top, bottom, left, right } = part;
  const everyUnit = ["load", "store", "link", "mac", "shift", "pool"] as const;
  const sync = (
    after: readonly (typeof everyUnit)[number][],
    before: readonly (typeof everyUnit)[number][],
  ): Draft => ({
    instruction: instruction("sync", { after, before }),
    views: {},
    layer: place.layer,
    tile: place.tile,
  });
  const bands = (size: number, before: number, after: number) =>
    [
      { offset: 1, start: size - before, extent: before },
      { offset: 0, start: 0, extent: size },
      { offset: -1, start: 0, extent: after },
    ].filter(({ extent }) => extent > 0);
  const copies: Draft[] = [];
  for (const down of bands(tile.height, top, bottom)) {
    for (const across of bands(tile.width, left, right)) {
      if (down.offset === 0 && across.offset === 0) continue;
      const box = {
        y: axis(down.start, down.extent, tile.height, 0),
        x: axis(across.start, across.extent, 0, tile.width),
        c: view.c,
      };
      copies.push(copyTile(place, view, view, 0, box, { offsetY: down.offset, offsetX: across.offset }));
    }
  }
  // a load that must have ended has a reader, and that has waited for it; others go on meanwhile
  const readers = everyUnit.filter((unit) => unit !== "load");
  return [sync(readers, ["link"]), ...copies, sync(["link"], everyUnit)];
}
