/** reduce, exponent, scalar: the scalar processor's part in run-time exponents. */
import { chooseExponent, clamp, gridPosition, HISTOGRAM_BINS, type InstructionOf } from "../../isa/index.ts";
import { type Chip, readScalar, type Step } from "./chip.ts";
import { histogramAt, scalarAt } from "./memory-map.ts";

const SCALAR_MIN = -64;
const SCALAR_MAX = 63;

/** Register 0 loses what is written to it. */
function writeScalar(chip: Chip, agent: number, register: number, value: number): void {
  if (register !== 0) chip.scalars[scalarAt(agent, register)] = value;
}

/** One step for all agents, since each gets the sum over all. */
export function reduceStep({ histogram }: InstructionOf<"reduce">, { histograms, program }: Chip): Step {
  const { agents } = program.machine.parameters;
  return () => {
    for (let bin = 0; bin < HISTOGRAM_BINS; bin++) {
      let sum = 0;
      for (let agent = 0; agent < agents; agent++) sum += histograms[histogramAt(agent, histogram) + bin];
      for (let agent = 0; agent < agents; agent++) histograms[histogramAt(agent, histogram) + bin] = sum;
    }
  };
}

export function exponentStep(exponent: InstructionOf<"exponent">, chip: Chip, agent: number): Step | null {
  if (gridPosition(exponent, agent) === null) return null;
  const { dst, histogram, bits, clipLog2 } = exponent;
  const first = histogramAt(agent, histogram);
  const bins = chip.histograms.subarray(first, first + HISTOGRAM_BINS);
  return () => {
    writeScalar(chip, agent, dst, chooseExponent(bins, bits, clipLog2));
    bins.fill(0);
  };
}

const OPERATIONS: Record<InstructionOf<"scalar">["operation"], (a: number, b: number) => number> = {
  add: (a, b) => a + b,
  subtract: (a, b) => a - b,
  minimum: Math.min,
  maximum: Math.max,
};

export function scalarStep(scalar: InstructionOf<"scalar">, chip: Chip, agent: number): Step | null {
  if (gridPosition(scalar, agent) === null) return null;
  const operation = OPERATIONS[scalar.operation];
  return () => {
    const result = operation(readScalar(chip, agent, scalar.a), readScalar(chip, agent, scalar.b));
    writeScalar(chip, agent, scalar.dst, clamp(result + scalar.immediate, SCALAR_MIN, SCALAR_MAX));
  };
}
