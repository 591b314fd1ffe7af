/** A classifier's output becomes its best classes. */
import { type ClassesHead, RapError } from "../isa/index.ts";

/** A class and its score: a probability when the head asks for softmax, else the network's own value. */
export interface Classification {
  readonly class: string;
  readonly score: number;
}

/** exp(v) / sum of exp, without overflow. */
function softmax(values: Float32Array): Float64Array {
  let highest = Number.NEGATIVE_INFINITY;
  for (const value of values) highest = Math.max(highest, value);
  const powers = Float64Array.from(values, (value) => Math.exp(value - highest));
  let sum = 0;
  for (const power of powers) sum += power;
  return powers.map((power) => power / sum);
}

/** The head's topK classes, highest score first; equal scores keep the classes' order. @throws RapError */
export function topClasses(head: ClassesHead, values: Float32Array): Classification[] {
  if (values.length !== head.classes.length) {
    throw new RapError(
      `head ${head.tensor}: ${values.length} values; ${head.classes.length} classes take one each. Give the tensor that the head names`,
    );
  }
  const scores = head.softmax ? softmax(values) : values;
  return head.classes
    .map((name, i) => ({ class: name, score: scores[i] }))
    .sort((a, b) => b.score - a.score)
    .slice(0, head.topK);
}
