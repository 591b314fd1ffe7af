/** The hand-written programs of this folder, for tests that need something small that runs. */
import { readFileSync } from "node:fs";
import { assemble, type Program } from "../../isa/index.ts";

/** Assembly text of a program; with edits, to make it wrong in one place. @throws Error when an edit finds nothing */
export function programText(name: string, ...edits: readonly (readonly [from: string, to: string])[]): string {
  let text = readFileSync(new URL(`./${name}.s`, import.meta.url), "utf8");
  for (const [from, to] of edits) {
    if (!text.includes(from)) throw new Error(`${name}.s does not hold '${from}'`);
    text = text.replace(from, to);
  }
  return text;
}

/** @param text edited text, instead of the file's */
export function loadProgram(name: string, text = programText(name)): Program {
  return assemble(text, `${name}.s`);
}
