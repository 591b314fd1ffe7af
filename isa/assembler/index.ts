export { assemble } from "./assemble.ts";
export { BLOCK_DIRECTIVES, DIRECTIVES } from "./directives.ts";
export { disassemble } from "./disassemble.ts";
export { formOf, OPERANDS, type Operand } from "./operands.ts";
