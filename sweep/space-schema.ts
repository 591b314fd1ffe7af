/** What a space file may hold (docs/sweep-space.schema.json is made from this). */
import { z } from "zod";

const number = z.number().min(-1e15).max(1e15);
const name = z.string().min(1).max(100);
const text = z.string().min(1).max(1000);
const value = z.union([number, z.boolean(), text], { error: "must be a number, a text, true or false" });
const expression = z.union([number, z.string().min(1).max(1000)], { error: "must be an expression" });
const seed = z.number().int().min(0).max(2147483647).describe("seed of the random choices; default 1");
const points = z.number().int().min(1).max(1e9);

const axis = z.union(
  [
    z.array(value).min(1).max(10000),
    z.strictObject({
      from: number.describe("first value"),
      to: number.describe("last value"),
      step: number.optional().describe("distance of the values"),
      factor: number.optional().describe("each value is the one before times this"),
      count: z.number().int().min(1).max(1e12).optional().describe("so many values, evenly spread"),
      scale: z.enum(["linear", "log"]).optional().describe("how values are spread; default linear"),
    }),
  ],
  { error: "must be a list of values, or a range: from, to, and step, factor or count, and scale with count" },
);
const axes = z.record(name, axis);

export const spaceSchema = z
  .strictObject({
    name: name.describe("heading of the report"),
    about: z.string().max(10000).optional().describe("what is asked; shown in the report"),
    settings: z
      .record(name, value)
      .optional()
      .describe(
        "what all points have in common: machine, network, machine parameters, options of quantizer and compiler",
      ),
    axes: axes.describe("settings that differ: every value of each"),
    variables: axes.optional().describe("axes of names of one's own, for expressions"),
    derived: z.record(name, expression).optional().describe("settings that follow from others, by an expression each"),
    constraints: z
      .array(text)
      .max(100)
      .optional()
      .describe("a point is left out where one of these expressions is false"),
    sampling: z
      .discriminatedUnion("method", [
        z.strictObject({ method: z.literal("grid") }),
        z.strictObject({ method: z.literal("random"), points, seed: seed.optional() }),
        z.strictObject({ method: z.literal("sobol"), points }),
        z.strictObject({
          method: z.literal("search"),
          population: z.number().int().min(4).max(10000).describe("points of a generation; even"),
          generations: z.number().int().min(1).max(10000),
          seed: seed.optional(),
        }),
      ])
      .optional()
      .describe("which points are evaluated; default: grid, every combination"),
    objectives: z
      .record(name, z.enum(["maximize", "minimize"]))
      .optional()
      .describe("figures the front is made of; default: frames a second, energy of a frame, area"),
    limits: z
      .array(text)
      .max(100)
      .optional()
      .describe("expressions over figures and settings; points outside are not on the front"),
    frames: z.number().int().min(1).max(10000).optional().describe("frames timed for each point; default 1"),
    overlapFrames: z
      .boolean()
      .optional()
      .describe("a frame may begin before the one before it has ended; default false"),
    compileFor: z
      .enum(["structure", "machine"])
      .optional()
      .describe(
        "structure: one program for all points that differ in rates only, made for the base machine's rates; machine: each point has a program made for its own rates; default structure",
      ),
    dataset: z
      .strictObject({
        folder: text.describe("photographs and labels in KITTI's layout"),
        split: text.optional().describe("file that names the photographs to take"),
        threshold: z.number().min(0).max(1).optional().describe("detections above this score; default 0.005"),
      })
      .optional()
      .describe("measures average precision once for each way of quantizing"),
    calibration: text.optional().describe("folder of pictures for scaling: calibrated"),
  })
  .meta({ title: "Search space of rapsim sweep" });

export type SpaceFile = z.infer<typeof spaceSchema>;
