/**
 * The JSON file beside an ONNX file (same base name): preprocessing and the meaning of the outputs (docs/models.md).
 * Keys it does not know are documentation when their value is a text, and refused otherwise.
 */
import { z } from "zod";
import { convDetSchema, type Head, type Preprocess, preprocessSchema, RapError } from "../isa/index.ts";
import { firstIssue } from "./zod-issue.ts";

const extent = z.number().int().positive().max(65535);

const inputSchema = z
  .object({
    name: z.string().optional(),
    layout: z.literal("NCHW").optional(),
    shape: z.tuple([z.literal(1), extent, extent, extent]).optional(),
    colorOrder: preprocessSchema.shape.colorOrder,
    mean: z.array(z.number()).min(1).max(3),
    scale: z.number().positive(),
  })
  .catchall(z.string());

const convDetSidecar = z
  .object({
    ...convDetSchema.shape,
    channels: convDetSchema.shape.channels,
    confidenceThreshold: convDetSchema.shape.confidenceThreshold.default(0.4),
    topBoxes: convDetSchema.shape.topBoxes.default(64),
    nmsIou: convDetSchema.shape.nmsIou.default(0.4),
  })
  .catchall(z.string());

const classesSidecar = z
  .object({
    kind: z.literal("classes"),
    tensor: z.string().optional(),
    classes: z.array(z.string()).min(1).max(65535),
    softmax: z.boolean().optional(),
    topK: extent.default(5),
  })
  .catchall(z.string());

const sidecarSchema = z
  .object({
    network: z.string().optional(),
    input: inputSchema.optional(),
    head: z.discriminatedUnion("kind", [convDetSidecar, classesSidecar]).optional(),
  })
  .catchall(z.string());

export interface Sidecar {
  /** Named in messages. */
  readonly path: string;
  readonly data: z.infer<typeof sidecarSchema>;
}

/** @throws RapError naming the file and the JSON path */
export function parseSidecar(bytes: Uint8Array, path: string): Sidecar {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new RapError(
      `${path}: not JSON (${cause instanceof Error ? cause.message.split("\n")[0] : cause}); see docs/models.md`,
      { cause },
    );
  }
  const parsed = sidecarSchema.safeParse(json);
  if (!parsed.success)
    throw new RapError(`${path}: ${firstIssue(parsed.error, sidecarSchema, json)}; see docs/models.md`);
  return { path, data: parsed.data };
}

/** What the model says of its own input, to compare with the sidecar. */
interface InputShape {
  readonly name: string;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/**
 * Preprocessing without a sidecar: RGB, mean and spread of ImageNet's photographs (the usual training default:
 * (pixel / 255 - mean) / deviation with the three deviations 0.229, 0.224, 0.225 averaged); gray: pixel / 255.
 */
export function defaultPreprocess({ height, width, channels }: Omit<InputShape, "name">, place: string): Preprocess {
  if (channels === 1) return { height, width, channels, colorOrder: "RGB", mean: [0], scale: 1 / 255 };
  if (channels !== 3) throw new RapError(`${place}: the input has ${channels} channels; photographs have 1 or 3`);
  return { height, width, channels, colorOrder: "RGB", mean: [123.675, 116.28, 103.53], scale: 1 / (255 * 0.226) };
}

/** The preprocessing for an input of the model. @throws RapError where the sidecar contradicts it */
export function preprocessOf(input: InputShape, place: string, sidecar: Sidecar | undefined): Preprocess {
  const defaults = defaultPreprocess(input, place);
  const given = sidecar?.data.input;
  if (given === undefined) return defaults;
  const fail = (message: string): never => {
    throw new RapError(`${sidecar!.path}: input.${message}`);
  };
  const shape = [1, input.channels, input.height, input.width];
  if (given.name !== undefined && given.name !== input.name)
    fail(`name: '${given.name}'; the model's input is '${input.name}'`);
  if (given.shape !== undefined && given.shape.join() !== shape.join())
    fail(`shape: [${given.shape}]; the model's input is [${shape}]`);
  if (given.mean.length !== input.channels)
    fail(`mean: ${given.mean.length} values; the model's input has ${input.channels} channels`);
  return { ...defaults, colorOrder: given.colorOrder, mean: given.mean, scale: given.scale };
}

/** An output of the network, as far as a head needs to know it. */
export interface HeadOutput {
  readonly tensor: string;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** The head for a network's outputs. softmaxOf: outputs that end in a softmax. @throws RapError with the JSON path */
export function headOf(
  outputs: readonly HeadOutput[],
  softmaxOf: ReadonlySet<string>,
  sidecar: Sidecar | undefined,
): Head | null {
  const given = sidecar?.data.head;
  const only = outputs.length === 1 ? outputs[0] : undefined;
  if (given === undefined) {
    if (only === undefined || only.height * only.width !== 1) return null;
    const classes = Array.from({ length: only.channels }, (_, i) => `class ${i}`);
    return {
      kind: "classes",
      tensor: only.tensor,
      classes,
      softmax: softmaxOf.has(only.tensor),
      topK: Math.min(5, only.channels),
    };
  }
  let head: Head;
  if (given.kind === "convdet") {
    if (softmaxOf.has(given.tensor))
      throw new RapError(`${sidecar!.path}: head.kind: convdet, but '${given.tensor}' ends in a softmax`);
    // drops the free-text keys
    head = convDetSchema.parse(Object.fromEntries(Object.keys(convDetSchema.shape).map((key) => [key, given[key]])));
  } else {
    const tensor = given.tensor ?? only?.tensor;
    if (tensor === undefined)
      throw new RapError(`${sidecar!.path}: head.tensor: missing; the model has ${outputs.length} outputs, name one`);
    const softmax = given.softmax === true || softmaxOf.has(tensor);
    head = {
      kind: "classes",
      tensor,
      classes: given.classes,
      softmax,
      topK: Math.min(given.topK, given.classes.length),
    };
  }
  checkHead(head, outputs, sidecar!.path);
  return head;
}

/** Checks a head against the network's outputs. @throws RapError: place, then the head's field */
export function checkHead(head: Head, outputs: readonly HeadOutput[], place: string): void {
  const fail = (field: string, message: string): never => {
    throw new RapError(`${place}: head.${field}: ${message}`);
  };
  const output =
    outputs.find(({ tensor }) => tensor === head.tensor) ??
    fail(
      "tensor",
      `'${head.tensor}' is not an output of the network; known: ${outputs.map(({ tensor }) => tensor).join(", ")}`,
    );
  if (head.kind === "classes") {
    if (output.height * output.width !== 1)
      fail("kind", `classes needs a 1x1 output; '${output.tensor}' is ${output.height}x${output.width}`);
    if (head.classes.length !== output.channels)
      fail("classes", `${head.classes.length} names; '${output.tensor}' has ${output.channels} channels`);
    return;
  }
  const { grid, anchors, anchorsPerCell, channels } = head;
  if (grid[0] !== output.height || grid[1] !== output.width)
    fail("grid", `${grid.join("x")}; '${output.tensor}' is ${output.height}x${output.width}`);
  if (anchors.length !== anchorsPerCell)
    fail("anchors", `${anchors.length} anchors; anchorsPerCell is ${anchorsPerCell}`);
  const perAnchor = { classScores: head.classes.length, confidence: 1, boxDeltas: 4 } as const;
  const taken: string[] = [];
  for (const key of ["classScores", "confidence", "boxDeltas"] as const) {
    const [from, to] = channels[key];
    const field = `channels.${key}`;
    if (to - from !== anchorsPerCell * perAnchor[key]) {
      fail(
        field,
        `[${from}, ${to}] is ${to - from} channels; ${anchorsPerCell} anchors x ${perAnchor[key]} are ${anchorsPerCell * perAnchor[key]}`,
      );
    }
    if (to > output.channels) fail(field, `ends at ${to}; '${output.tensor}' has ${output.channels} channels`);
    for (let channel = from; channel < to; channel++) {
      if (taken[channel] !== undefined) fail(field, `channel ${channel} also belongs to ${taken[channel]}`);
      taken[channel] = key;
    }
  }
}
