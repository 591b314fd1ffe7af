/** What `rapsim eval` writes: the report as text and JSON, curves, pictures of the worst disagreements. */
import { join } from "node:path";
import { ANSWER_SCORE } from "../host/evaluation/agreement.ts";
import { drawPair } from "../host/evaluation/pair-picture.ts";
import { readImage } from "../host/index.ts";
import { precisionRecallSvg } from "../report/eval-curves.ts";
import { type EvaluationReport, evaluationJson } from "../report/eval-report.ts";
import { evaluationText } from "../report/eval-text.ts";
import type { Context } from "./command.ts";
import type { Network } from "./eval-detector.ts";
import type { EvalOptions } from "./eval-options.ts";
import type { EvaluatedPhoto } from "./eval-summary.ts";
import { prepareFolder, STANDARD_OUTPUT, writeOutput } from "./files.ts";
import { hasColor, type Io, pageWidth, write } from "./io.ts";

/** Float's and INT8's boxes on the photographs where they differ most, the worst first. */
export async function drawWorst(
  { worst }: EvaluationReport,
  photos: readonly EvaluatedPhoto[],
  { worst: wanted, output }: EvalOptions,
  { io, progress }: Context,
): Promise<void> {
  if (wanted === 0 || output === undefined) return;
  const folder = join(output, "worst");
  await prepareFolder(folder);
  const report = progress.stage("pictures");
  const drawn = worst.slice(0, wanted);
  for (const [i, { photo: name }] of drawn.entries()) {
    const { image, found } = photos.find((photo) => photo.name === name)!;
    const side = (network: Network, caption: string) => ({
      caption: `${caption} ${name}`,
      detections: (found[network] ?? []).filter(({ score }) => score > ANSWER_SCORE),
    });
    const picture = await drawPair(await readImage(image), [side("float", "float"), side("int8", "INT8")]);
    const rank = String(i + 1).padStart(String(drawn.length).length, "0");
    await writeOutput(join(folder, `${rank}-${name}.png`), picture, io);
    report((i + 1) / drawn.length);
  }
}

export async function writeEvaluation(
  report: EvaluationReport,
  { json, output }: EvalOptions,
  { io }: { readonly io: Io },
): Promise<void> {
  if (json !== undefined) await writeOutput(json, evaluationJson(report), io);
  if (output !== undefined) {
    await writeOutput(join(output, "evaluation.json"), evaluationJson(report), io);
    await writeOutput(join(output, "precision-recall.svg"), precisionRecallSvg(report), io);
  }
  if (json === STANDARD_OUTPUT) return;
  const { stdout, env } = io;
  await write(stdout, evaluationText(report, { color: hasColor(stdout, env), width: pageWidth(stdout) }));
}
