/** What a quantized network holds, as data and as text. */
import type { QNode, QTensor, QuantizedModel } from "../compiler/quantized-model.ts";
import { sha256 } from "../isa/index.ts";
import {
  type Column,
  count,
  grouped,
  type Page,
  printable,
  scalingText,
  tableLines,
  withPrefix,
} from "../report/index.ts";
import { hostLines, labelled, provenanceLines, scalingLines } from "./describe-host.ts";
import { shown } from "./files.ts";

interface NodeFacts {
  readonly name: string;
  readonly op: string;
  readonly inputs: readonly string[];
  readonly output: string;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly format: string;
  readonly exponent: number;
  readonly kernel: readonly number[] | null;
  readonly weights: number;
  readonly macs: number;
}

function nodeFacts(node: QNode, tensors: ReadonlyMap<string, QTensor>): NodeFacts {
  const { height, width, channels, format, exponent } = tensors.get(node.output)!;
  const weights = node.op === "conv" ? node.weights.length : 0;
  return {
    name: node.name,
    op: node.op,
    inputs: node.inputs,
    output: node.output,
    height,
    width,
    channels,
    format,
    exponent,
    kernel: "kernel" in node ? node.kernel : null,
    weights,
    // each weight meets every output pixel once
    macs: weights * height * width,
  };
}

export type ModelFacts = ReturnType<typeof modelFacts>;

export function modelFacts(model: QuantizedModel, file: Uint8Array) {
  const tensors = new Map(model.tensors.map((tensor) => [tensor.name, tensor]));
  const nodes = model.nodes.map((node) => nodeFacts(node, tensors));
  return {
    kind: "model" as const,
    name: model.name,
    bytes: file.length,
    sha256: sha256(file),
    host: model.host,
    runtime: model.runtime ?? null,
    weights: nodes.reduce((sum, { weights }) => sum + weights, 0),
    macs: nodes.reduce((sum, { macs }) => sum + macs, 0),
    nodes,
    provenance: model.provenance,
  };
}

const dash = (n: number, text: string) => (n === 0 ? "-" : text);

const NODE_COLUMNS: readonly Column<NodeFacts>[] = [
  { head: "layer", align: "left", cell: ({ name }) => printable(name), maxWidth: 40, shrinkTo: 16 },
  { head: "op", align: "left", cell: ({ op }) => op },
  { head: "kernel", align: "left", cell: ({ kernel }) => kernel?.join(" x ") ?? "", drop: 3 },
  { head: "output", align: "left", cell: ({ height, width, channels }) => `${height} x ${width} x ${channels}` },
  { head: "format", align: "left", cell: ({ format }) => format, drop: 2 },
  { head: "exponent", align: "right", cell: ({ exponent }) => String(exponent), drop: 4 },
  { head: "weights", align: "right", cell: ({ weights }) => dash(weights, grouped(weights)) },
  { head: "MACs", align: "right", cell: ({ macs }) => dash(macs, withPrefix(macs, "").trimEnd()), drop: 1 },
];

export function modelLines(page: Page, path: string, facts: ModelFacts): string[] {
  return [
    `${page.bold(path)}: a quantized network, ${grouped(facts.bytes)} bytes`,
    "",
    ...labelled(page, "name", printable(facts.name)),
    ...labelled(page, "SHA-256", facts.sha256),
    ...hostLines(page, facts.host),
    ...scalingLines(page, facts.provenance, facts.runtime?.exponents.length),
    ...labelled(page, "size", `${grouped(facts.weights)} weights, ${grouped(facts.macs)} MACs a frame`),
    ...provenanceLines(page, facts.provenance),
    "",
    page.bold(count(facts.nodes.length, "layer")),
    ...tableLines(page, NODE_COLUMNS, facts.nodes),
  ];
}

/** One line: what was just written. */
export function writtenModelText(path: string, model: QuantizedModel, bytes: number): string {
  const facts = modelFacts(model, new Uint8Array());
  return `${shown(path)}: ${printable(model.name)}, ${count(model.nodes.length, "layer")}${printable(scalingText(model.provenance))}, ${grouped(facts.weights)} weights, ${withPrefix(facts.macs, "MAC")} a frame, ${grouped(bytes)} bytes\n`;
}
