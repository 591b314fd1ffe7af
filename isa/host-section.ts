/**
 * What a CPU must know to use a network: how a photograph becomes the input tensor, what the outputs mean.
 * The same description stands in a quantized model and in a program.
 */
import { z } from "zod";

const count = z.number().int().positive().max(65535);
const exponent = z.number().int().min(-64).max(64);

/** real = (pixel - mean[channel]) * scale; integer = clamp(round half up(real * 2^exponent)); layout [H, W, C]. */
export const preprocessSchema = z.strictObject({
  height: count,
  width: count,
  channels: z.union([z.literal(1), z.literal(3)]),
  colorOrder: z.enum(["BGR", "RGB"]),
  mean: z.array(z.number()).min(1).max(3),
  scale: z.number().positive(),
});
export type Preprocess = z.infer<typeof preprocessSchema>;

export const networkInputSchema = preprocessSchema.extend({
  tensor: z.string(),
  format: z.enum(["i8", "u8"]),
  exponent,
});
export type NetworkInput = z.infer<typeof networkInputSchema>;

/** A tensor named by `runtimeScale` holds 2^(RUNTIME_SCALE_BITS + d): the exponents are d larger in this frame. */
export const RUNTIME_SCALE_BITS = 16;

/** real = integer * 2^-exponents[channel], or with `runtimeScale` integer * 2^-(exponents[channel] + d). */
export const networkOutputSchema = z.strictObject({
  tensor: z.string(),
  height: count,
  width: count,
  channels: count,
  format: z.enum(["i8", "u8", "i32"]),
  exponents: z.array(exponent).min(1),
  /** An output tensor of one int32. */
  runtimeScale: z.string().optional(),
});
export type NetworkOutput = z.infer<typeof networkOutputSchema>;

const channelRange = z.tuple([z.number().int().nonnegative(), z.number().int().positive()]);

/** SqueezeDet's ConvDet head: boxes from anchors on a grid. */
export const convDetSchema = z.strictObject({
  kind: z.literal("convdet"),
  tensor: z.string(),
  /** rows, columns */
  grid: z.tuple([count, count]),
  anchorsPerCell: count,
  classes: z.array(z.string()).min(1).max(1000),
  /** half-open channel ranges; class scores and box deltas are anchor-major */
  channels: z.strictObject({ classScores: channelRange, confidence: channelRange, boxDeltas: channelRange }),
  /** width, height in pixels of the network input */
  anchors: z.array(z.tuple([z.number().positive(), z.number().positive()])).min(1),
  confidenceThreshold: z.number().min(0).max(1),
  topBoxes: count,
  nmsIou: z.number().min(0).max(1),
});
export type ConvDetHead = z.infer<typeof convDetSchema>;

/** A classifier: one score per class in the output's channels; softmax, when wanted, is host work. */
export const classesHeadSchema = z.strictObject({
  kind: z.literal("classes"),
  tensor: z.string(),
  classes: z.array(z.string()).min(1).max(65535),
  softmax: z.boolean(),
  topK: count,
});
export type ClassesHead = z.infer<typeof classesHeadSchema>;

export const headSchema = z.discriminatedUnion("kind", [convDetSchema, classesHeadSchema]);
export type Head = z.infer<typeof headSchema>;

export const hostSectionSchema = z.strictObject({
  input: networkInputSchema,
  outputs: z.array(networkOutputSchema).min(1),
  /** null: the outputs are raw tensors. */
  head: headSchema.nullable(),
  /** False when the weights are seeded random numbers: detections then mean nothing, and reports say so. */
  trained: z.boolean(),
});
export type HostSection = z.infer<typeof hostSectionSchema>;
