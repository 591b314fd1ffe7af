/** What a file says of input, outputs and head, and where it comes from: the same in programs and quantized networks. */
import type { HostSection, Provenance } from "../isa/index.ts";
import { count } from "../report/numbers.ts";
import { type Page, printable, wrapped } from "../report/page.ts";

/** `label   text`, wrapped under itself. */
export function labelled(page: Page, label: string, text: string): string[] {
  const [first, ...rest] = wrapped(page, `  ${label.padEnd(LABEL_WIDTH)}  `, text);
  return [first, ...rest];
}

const LABEL_WIDTH = 12;

const range = (exponents: readonly number[]) => {
  const [low, high] = [Math.min(...exponents), Math.max(...exponents)];
  return low === high ? `exponent ${low}` : `exponents ${low} to ${high}`;
};

export function hostLines(page: Page, { input, outputs, head, trained }: HostSection): string[] {
  const shape = (t: { height: number; width: number; channels: number }) => `${t.height} x ${t.width} x ${t.channels}`;
  const lines = labelled(
    page,
    "input",
    `${printable(input.tensor)}, ${shape(input)} ${input.format}, exponent ${input.exponent}; ${input.colorOrder}, mean ${input.mean.join(" ")}, scale ${input.scale}`,
  );
  for (const output of outputs) {
    lines.push(
      ...labelled(
        page,
        "output",
        `${printable(output.tensor)}, ${shape(output)} ${output.format}, ${range(output.exponents)}${output.runtimeScale === undefined ? "" : ", moved at run time"}`,
      ),
    );
  }
  if (head === null) lines.push(...labelled(page, "head", "none: outputs are raw tensors"));
  else if (head.kind === "convdet") {
    const classes =
      head.classes.length <= 8 ? printable(head.classes.join(", ")) : count(head.classes.length, "class", "classes");
    lines.push(
      ...labelled(
        page,
        "head",
        `detection (ConvDet): ${classes}; ${head.anchorsPerCell} anchors on a grid of ${head.grid.join(" x ")}; score above ${head.confidenceThreshold}, at most ${head.topBoxes} boxes, NMS at IoU ${head.nmsIou}`,
      ),
    );
  } else
    lines.push(
      ...labelled(page, "head", `classification: ${count(head.classes.length, "class", "classes")}, top ${head.topK}`),
    );
  lines.push(...labelled(page, "weights", trained ? "trained" : "not trained: what the network finds means nothing"));
  return lines;
}

const SCALING_TEXT: Readonly<Record<string, string>> = {
  static: "static: exponents are constants, chosen without pictures",
  calibrated: "calibrated: exponents are constants, chosen by pictures",
  dynamic: "dynamic: exponents follow each frame's own values",
  delayed: "delayed: exponents follow the frame before, so frames are in order",
};

/** When exponents of activations are chosen. Of a network that was not quantized here nothing is known: no line. */
export function scalingLines(page: Page, { options }: Provenance, runtimeExponents?: number): string[] {
  const text = SCALING_TEXT[String(options.scaling)];
  if (text === undefined) return [];
  const moved = runtimeExponents === undefined ? "" : `; ${count(runtimeExponents, "run-time exponent")}`;
  return labelled(page, "scaling", `${text}${moved}`);
}

export function provenanceLines(page: Page, { source, sourceSha256, rapsim, options }: Provenance): string[] {
  const given = Object.entries(options).map(([key, value]) => `${key} ${value}`);
  return [
    ...labelled(page, "made from", printable(source)),
    ...labelled(page, "", `SHA-256 ${printable(sourceSha256)}`),
    ...labelled(page, "made by", printable(`rapsim ${rapsim}${given.length === 0 ? "" : ` with ${given.join(", ")}`}`)),
  ];
}
