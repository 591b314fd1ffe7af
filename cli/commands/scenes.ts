/** `rapsim scenes`: labelled road scenes, drawn from a seed. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { RapError, UsageError } from "../../isa/errors.ts";
import type { Command } from "../command.ts";
import { writeScenes } from "../drawn-scenes.ts";
import { prepareFolder, refuse, shown } from "../files.ts";
import { write } from "../io.ts";
import { numberOf, text, textOf } from "../options.ts";

const DEFAULT_SEED = 1;
const DEFAULT_COUNT = 100;
/** Names have six digits. */
const MAX_COUNT = 1_000_000;

export const scenes: Command = {
  name: "scenes",
  describe: "Draw labelled road scenes: a data set in KITTI's layout",
  options: {
    output: text("folder for image_2 and label_2", { alias: "o" }),
    seed: text(`scenes of one seed are always the same (default ${DEFAULT_SEED})`),
    count: text(`number of scenes (default ${DEFAULT_COUNT})`),
  },
  examples: [
    [
      "rapsim scenes --seed 7 --count 500 -o scenes && rapsim eval net.bin --dataset scenes",
      "a network's precision on 500 scenes",
    ],
  ],
  async run(args, context) {
    const seed = numberOf(args, "seed", { min: 0, max: 2 ** 31 - 1, whole: true }) ?? DEFAULT_SEED;
    const count = numberOf(args, "count", { min: 1, max: MAX_COUNT, whole: true }) ?? DEFAULT_COUNT;
    const folder = textOf(args, "output");
    if (folder === undefined) throw new UsageError("--output: missing; name the folder for the scenes");
    await prepareFolder(folder);
    for (const name of ["image_2", "label_2"]) await prepareEmptyFolder(join(folder, name));
    const objects = await writeScenes(seed, count, folder, context);
    context.progress.stop();
    await write(
      context.io.stdout,
      `${shown(folder)}: ${count} scenes of seed ${seed} with ${objects} labelled objects\n`,
    );
  },
};

/** Other pictures among the scenes would be evaluated with them. */
async function prepareEmptyFolder(path: string): Promise<void> {
  await prepareFolder(path);
  const names = await readdir(path).catch((error: unknown) => refuse(path, "read", error));
  if (names.length > 0) {
    throw new RapError(`${shown(path)}: holds ${names.length} files already; name a new folder, or empty this one`);
  }
}
