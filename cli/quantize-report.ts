/** `rapsim quantize --report`: the float network and the integers side by side, layer by layer. */
import { extname } from "node:path";
import { compileModel, loadFloatGraph } from "../compiler/index.ts";
import { analyzeQuantization } from "../compiler/quantization-analysis/index.ts";
import type { QuantizedModel } from "../compiler/quantized-model.ts";
import { RAPSIM_VERSION } from "../compiler/version.ts";
import { frameExponents } from "../host/index.ts";
import { checkProgram, DEFAULT_MACHINE, loadMachine, UsageError } from "../isa/index.ts";
import { quantizationCsv } from "../report/quantization-csv.ts";
import { quantizationHtml } from "../report/quantization-html.ts";
import { type QuantizationReport, quantizationJson, quantizationReport } from "../report/quantization-report.ts";
import { quantizationText } from "../report/quantization-text.ts";
import { Execution } from "../sim/functional/index.ts";
import type { Context } from "./command.ts";
import { writeOutput } from "./files.ts";
import { hasColor, pageWidth, write } from "./io.ts";

const WRITERS: Readonly<Record<string, (report: QuantizationReport) => string>> = {
  ".json": quantizationJson,
  ".csv": quantizationCsv,
  ".html": quantizationHtml,
};

const writerOf = (path: string) => WRITERS[extname(path).toLowerCase()];

/** @throws UsageError for a file whose extension names no form of the report */
export function checkReportFiles(files: readonly string[]): void {
  for (const file of files) {
    if (writerOf(file) === undefined) {
      throw new UsageError(
        `--report: '${file}' ends in none of ${Object.keys(WRITERS).join(", ")}; the extension chooses the form`,
      );
    }
  }
}

/** @param float the network that the model was quantized from: file or built-in name */
export async function quantizationReportOf(
  model: QuantizedModel,
  float: string,
  { log, progress }: Context,
): Promise<QuantizationReport> {
  const start = performance.now();
  const { seed } = model.provenance.options;
  const options = typeof seed === "number" ? { seed } : {};
  const graph = loadFloatGraph(float, options);
  // the integers are those of a compiled program: the machine does not change them
  const load = (observed: QuantizedModel) => {
    const program = compileModel(observed, loadMachine(DEFAULT_MACHINE));
    const execution = new Execution(checkProgram(program, observed.name));
    return (input: Int8Array | Uint8Array) => {
      const tensors = execution.runFrame(input);
      return new Map(
        program.host.outputs.map((output) => [
          output.tensor,
          { integers: tensors.get(output.tensor)!, exponents: frameExponents(output, tensors) },
        ]),
      );
    };
  };
  const analysis = analyzeQuantization(graph, model, load, { ...options, onProgress: progress.stage("compare") });
  log.info({ network: model.name, milliseconds: Math.round(performance.now() - start) }, "compared with float");
  const { name, nodes, host, provenance } = model;
  const writer = nodes.find(({ output }) => output === host.head?.tensor);
  return quantizationReport({
    rapsim: RAPSIM_VERSION,
    network: {
      name,
      source: provenance.source,
      sourceSha256: provenance.sourceSha256,
      trained: host.trained,
      options: provenance.options,
    },
    ...analysis,
    heads: { head: host.head, outputLayer: writer?.name ?? null },
  });
}

/** Writes the report into its files, and as text when none is given. */
export async function writeQuantizationReport(
  report: QuantizationReport,
  files: readonly string[],
  { io }: Context,
): Promise<void> {
  for (const file of files) await writeOutput(file, writerOf(file)(report), io);
  if (files.length > 0) return;
  const { stdout, env } = io;
  await write(stdout, quantizationText(report, { color: hasColor(stdout, env), width: pageWidth(stdout) }));
}
