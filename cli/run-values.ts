/** The values of a run: pictures in; boxes, classes and raw outputs out. */
import { basename, extname, join } from "node:path";
import {
  checkImage,
  decodeConvDet,
  drawBoxes,
  type Image,
  imageToTensor,
  listImages,
  readImage,
  realOutput,
  topClasses,
} from "../host/index.ts";
import { type CheckedProgram, type HostSection, sha256, UsageError } from "../isa/index.ts";
import type { ReportClassification, ReportDetection, ReportImage, ReportOutput } from "../report/report.ts";
import { dumpTensors, type Elements, Execution, ProbeAssembler } from "../sim/functional/index.ts";
import type { Context } from "./command.ts";
import { refuse, shown, writeOutput } from "./files.ts";
import { foundObjects, GENERATED_NAME, generatedScene, type PictureContent } from "./generated-scene.ts";
import { boxesPath, type RunOptions } from "./run-options.ts";

export interface Picture {
  /** As reports name it. */
  readonly name: string;
  /** Of files made from it, without extension; no two pictures share it. */
  readonly stem: string;
  /** null: the picture is generated. */
  readonly path: string | null;
}

const GENERATED: Picture = { name: GENERATED_NAME, stem: "generated", path: null };

/** The pictures that `--image` means. @throws RapError when there are none, or one cannot be a picture */
export async function listPictures(image: string | undefined): Promise<Picture[]> {
  if (image === undefined) return [GENERATED];
  const paths = await listImages(image);
  // before long work is done for them
  for (const path of paths) await checkImage(path);
  const stems = paths.map((path) => basename(path, extname(path)));
  return paths.map((path, i) => {
    const isUnique = stems.indexOf(stems[i]) === i && stems.lastIndexOf(stems[i]) === i;
    return { name: path, stem: isUnique ? stems[i] : basename(path), path };
  });
}

export interface Values {
  readonly images: readonly ReportImage[];
  readonly detections: readonly ReportDetection[];
  readonly classifications: readonly ReportClassification[];
  readonly outputs: readonly ReportOutput[];
  readonly warnings: readonly string[];
}

/** Refuses options that the program's head cannot honour, before long work. */
export function checkHead({ head }: HostSection, { threshold, boxes }: RunOptions): void {
  if (head?.kind === "convdet") return;
  if (threshold !== undefined) throw new UsageError("--threshold: the program has no detection head");
  if (boxes !== undefined) throw new UsageError("--boxes: the program has no detection head");
}

/** Begins to read a picture, beside other work; should it fail, that is told to who awaits it. null: it is generated. */
export function startReading({ path }: Picture): Promise<Image | null> {
  const image = path === null ? Promise.resolve(null) : readImage(path);
  image.catch(() => {});
  return image;
}

/**
 * Runs every picture through the program. The chip's memory persists from one to the next, as between frames.
 * @param first the first picture, as `startReading` gives it
 */
export async function runValues(
  program: CheckedProgram,
  pictures: readonly Picture[],
  first: Promise<Image | null>,
  options: RunOptions,
  context: Context,
): Promise<Values> {
  const { host } = program.program;
  const { kernels, threads } = options;
  const execution = new Execution(program, { kernels, threads });
  const done = context.progress.stage("values");
  const values = {
    images: [] as ReportImage[],
    detections: [] as ReportDetection[],
    classifications: [] as ReportClassification[],
    outputs: [] as ReportOutput[],
    warnings: [] as string[],
  };
  let next = first;
  for (const [i, picture] of pictures.entries()) {
    const start = performance.now();
    const given = await next;
    const { image, labels }: PictureContent = given === null ? generatedScene() : { image: given, labels: null };
    // decoded beside this one's values
    if (i + 1 < pictures.length) next = startReading(pictures[i + 1]);
    const probes = options.dump === undefined ? null : new ProbeAssembler(program.program);
    execution.onProbe = probes === null ? null : (probe) => probes.add(probe);
    const outputs = execution.runFrame(imageToTensor(image, host.input));
    const found = readOutputs(host, outputs, picture.name, image, options.threshold);
    values.images.push({
      image: picture.name,
      width: image.width,
      height: image.height,
      ...(labels === null || host.head?.kind !== "convdet"
        ? {}
        : { objects: foundObjects(labels, host.head.classes, found.detections) }),
    });
    values.detections.push(...found.detections);
    values.classifications.push(...found.classifications);
    values.outputs.push(...found.outputs);
    await drawn(picture, image, found.detections, options, context);
    if (probes !== null)
      values.warnings.push(...dumped(program, probes, outputs, picture, pictures.length > 1, options));
    context.log.info({ picture: picture.name, milliseconds: Math.round(performance.now() - start) }, "values computed");
    done((i + 1) / pictures.length);
  }
  execution.close();
  return values;
}

/** What the host makes of one picture's output tensors. */
function readOutputs(
  host: HostSection,
  tensors: ReadonlyMap<string, Elements>,
  image: string,
  { width, height }: Image,
  threshold: number | undefined,
) {
  const { head, input } = host;
  const outputs: ReportOutput[] = [];
  const detections: ReportDetection[] = [];
  const classifications: ReportClassification[] = [];
  for (const output of host.outputs) {
    const elements = tensors.get(output.tensor)!;
    const real = realOutput(output, tensors);
    outputs.push({ image, ...shapeOf(output), ...extremes(real), sha256: sha256(bytesOf(elements)) });
    if (head?.tensor !== output.tensor) continue;
    if (head.kind === "convdet") {
      const found = decodeConvDet(head, real, input.width, input.height, width, height, { threshold });
      detections.push(...found.map((detection) => ({ image, ...detection })));
    } else classifications.push({ image, top: topClasses(head, real) });
  }
  return { outputs, detections, classifications };
}

function shapeOf({ tensor, height, width, channels, format }: HostSection["outputs"][number]) {
  return { tensor, height, width, channels, format };
}

function extremes(real: Float32Array): { minimum: number; maximum: number } {
  let [minimum, maximum] = [real[0], real[0]];
  for (const value of real) {
    if (value < minimum) minimum = value;
    if (value > maximum) maximum = value;
  }
  return { minimum, maximum };
}

function bytesOf(elements: Elements): Uint8Array {
  return new Uint8Array(elements.buffer, elements.byteOffset, elements.byteLength);
}

async function drawn(
  picture: Picture,
  image: Image,
  detections: readonly ReportDetection[],
  { boxes }: RunOptions,
  { io }: Context,
): Promise<void> {
  if (boxes === undefined) return;
  await writeOutput(boxesPath(boxes, picture), await drawBoxes(image, detections), io);
}

/** Writes one picture's tensors. @returns what is wrong with them, for the report */
function dumped(
  program: CheckedProgram,
  probes: ProbeAssembler,
  outputs: ReadonlyMap<string, Elements>,
  picture: Picture,
  isOneOfMany: boolean,
  { dump }: RunOptions,
): readonly string[] {
  const folder = isOneOfMany ? join(dump!, picture.stem) : dump!;
  const assembled = probes.finish();
  try {
    dumpTensors(folder, program.program, assembled, outputs);
  } catch (error) {
    refuse(folder, "written", error);
  }
  return assembled.errors.map((error) => `${shown(picture.name)}: ${error}`);
}
