/** What the compiler decided, for people: the phases of a program, why each is as it is, and what came second. */
import { z } from "zod";

const pair = z.tuple([z.number().int().nonnegative(), z.number().int().nonnegative()]);
const amount = z.number().nonnegative();

const estimateSchema = z.strictObject({
  cycles: amount,
  /** bursts and instruction fetch */
  dramBytes: amount,
  /** the unit that takes longest */
  bound: z.enum(["mac", "shift", "pool", "link", "dma", "dram"]),
});

export const scheduleStepSchema = z.strictObject({
  /** first layer and one behind the last: done together, in this order */
  layers: pair,
  /** output channels of a single layer made in this step: first, count; null for all */
  channels: pair.nullable(),
  /** agents down and across */
  grid: pair,
  /** rows and columns of the last layer's result per agent */
  tile: pair,
  /** rows and columns of it per stripe */
  stripe: pair,
  weights: z.enum(["resident", "streamed"]),
  /** tensors that cross the step's border, and where they lie */
  tensors: z.array(z.strictObject({ name: z.string().max(20000), home: z.enum(["dram", "sram"]) })).max(65535),
  sramBytes: amount,
  estimate: estimateSchema,
  /** the best other tiling of the same layers */
  otherTiling: z
    .strictObject({ stripe: pair, weights: z.enum(["resident", "streamed"]), estimate: estimateSchema })
    .nullable(),
  /** the best other way to the same end: where its last step begins, and how much more the whole way takes */
  otherCut: z.strictObject({ first: z.number().int().nonnegative(), moreCycles: amount }).nullable(),
});
/** A step of a schedule. Layers that went through DRAM by themselves have none. */
export type ScheduleStep = z.infer<typeof scheduleStepSchema>;
