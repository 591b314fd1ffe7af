/** A thread of functional execution: prepares its agents' steps, then runs a frame whenever the leader commands it. */
import { RapError } from "../../isa/errors.ts";
import { createWasmKernels } from "../wasm-kernels.ts";
import { preparePart, runSteps } from "./part.ts";
import { COMMANDS, Member, type MemberData } from "./team.ts";

/** Returns when the leader has ended it. */
export function serve({ checked, plan, memory, index, threads, control }: MemberData): void {
  const member = new Member(index, threads, control);
  try {
    const scratch = member.awaitReady(index);
    const part = preparePart(checked, createWasmKernels(memory), scratch, { member, plan });
    member.ready(part.end);
    for (let what = member.nextCommand(); what !== COMMANDS.end; what = member.nextCommand()) {
      runSteps(what === COMMANDS.prologue ? part.prologue : part.body);
    }
  } catch (error) {
    member.fail();
    // what does not fit, the leader says
    if (!(error instanceof RapError)) throw error;
  }
}
