/** Random instructions, derived from the instruction table: every field over its whole range, often at its default. */
import fc from "fast-check";
import {
  defaultOf,
  type Field,
  type FieldContents,
  fieldRange,
  fieldsOf,
  type Instruction,
  type InstructionOf,
  OPS,
  type Op,
  UNIT_KINDS,
} from "../../isa/index.ts";

function arbitraryContents(field: Field): fc.Arbitrary<FieldContents> {
  switch (field.type) {
    case "uint":
    case "int":
      return fc.integer(fieldRange(field));
    case "enum":
      return fc.constantFrom(...field.names);
    case "flag":
      return fc.boolean();
    case "axis": {
      const signed = fc.oneof(fc.constant(0), fc.integer({ min: -32768, max: 32767 }));
      return fc.record({ base: signed, stepA: signed, stepB: signed, extent: fc.integer({ min: 0, max: 65535 }) });
    }
    case "list":
      return fc.array(fc.integer({ min: 1, max: 2 ** field.bits - 1 }), { maxLength: field.count });
    case "units":
      return fc.subarray([...UNIT_KINDS]);
  }
}

/** Any instruction of one operation that has an encoding; what it does may be nonsense. */
export function arbitraryInstructionOf<O extends Op>(op: O): fc.Arbitrary<InstructionOf<O>> {
  const fields = fieldsOf(op).map(([name, field]) => [
    name,
    fc.oneof(fc.constant(defaultOf(field)), arbitraryContents(field)),
  ]);
  return fc.record({ op: fc.constant(op), ...Object.fromEntries(fields) }) as fc.Arbitrary<InstructionOf<O>>;
}

/** Any instruction that has an encoding. */
export function arbitraryInstruction(): fc.Arbitrary<Instruction> {
  return fc.oneof(...OPS.map((op) => arbitraryInstructionOf(op) as fc.Arbitrary<Instruction>));
}
