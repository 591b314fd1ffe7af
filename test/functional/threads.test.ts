// Threads share the agents: is every byte of the chip and of DRAM that of one thread? Threads run what `npm run build` has made.
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compileModel, loadModel } from "../../compiler/index.ts";
import { type CheckedProgram, checkProgram, loadMachine } from "../../isa/index.ts";
import { type Elements, Execution } from "../../sim/functional/index.ts";
import { MEETING, meetings } from "../../sim/functional/meetings.ts";
import { createControl, Member, startTeam } from "../../sim/functional/team.ts";
import { axis, Builder, whole } from "../timing/build.ts";
import { build, plans } from "../timing/random-program.ts";

const isBuilt = existsSync(new URL("../../dist/sim/functional/agents-worker.js", import.meta.url));

const noise = (length: number, seed: number) =>
  Uint8Array.from({ length }, (_, i) => Math.imul(i + 977 * seed + 1, 2654435761) >>> 24);

const sha256 = ({ buffer }: Elements) => createHash("sha256").update(new Uint8Array(buffer)).digest("hex");

/** All memories after some frames. */
function state(checked: CheckedProgram, threads: number, frames: number) {
  const { program } = checked;
  const execution = new Execution(checked, { threads });
  const { height, width, channels } = program.host.input;
  const outputs = Array.from({ length: frames }, (_, frame) => {
    const found = execution.runFrame(new Int8Array(noise(height * width * channels, frame).buffer));
    return [...found].map(([name, values]) => [name, sha256(values)]);
  });
  const agents = [...Array(program.machine.parameters.agents).keys()];
  const dram = program.tensors
    .filter(({ role }) => role !== "none")
    .map(({ name }) => sha256(execution.readTensor(name)));
  const chip = agents.map((agent) => [sha256(execution.readSram(agent)), sha256(execution.readScalars(agent))]);
  execution.close();
  return { outputs, dram, chip };
}

describe.skipIf(!isBuilt)(`several threads${isBuilt ? "" : " (skipped: npm run build makes them)"}`, () => {
  test("a compiled network, whatever the number of threads", () => {
    const checked = checkProgram(compileModel(loadModel("tiny"), loadMachine("rap-e")), "tiny");
    const one = state(checked, 1, 3);
    for (const threads of [2, 3]) expect(state(checked, threads, 3)).toEqual(one);
  });

  test("any program, races included", () => {
    fc.assert(
      fc.property(plans(4), fc.integer({ min: 2, max: 3 }), (plan, threads) => {
        const { program, bound } = build(plan);
        const constants = noise(program.constants.length, 7);
        const checked = { program: { ...program, constants }, bound };
        expect(state(checked, threads, 2)).toEqual(state(checked, 1, 2));
      }),
      { numRuns: 10 },
    );
  });
});

describe("threads meet", () => {
  const SHAPE = [4, 8, 16] as const;

  /** Two agents, each with two rows, and one instruction after another. */
  function plan(make: (program: Builder, tensor: (name: string) => number) => void): string[] {
    const program = new Builder({ agents: 2, "sram.bytes": 65536 });
    make(program, (name) => program.tensor(name, SHAPE, "intermediate"));
    const checked = program.check();
    const names = Object.keys(MEETING);
    const how = meetings(checked, 2);
    return checked.bound.flatMap(({ instruction: { op } }, i) => (how[i] === 0 ? [] : [`${op} ${names[how[i]]}`]));
  }
  const rows = (extent: number) => ({ ...whole(SHAPE), y: axis(0, extent, 0, 2) });
  const transfer = (program: Builder, op: "load" | "store", tensor: number, extent = 2) =>
    program.add(op, { [op === "load" ? "dst" : "src"]: program.view(tensor), ...rows(extent) });

  test("before a load of what was stored, not before loads and stores of different tensors", () => {
    const found = plan((program, tensor) => {
      const [a, b] = [tensor("a"), tensor("b")];
      transfer(program, "load", a);
      transfer(program, "store", b);
      transfer(program, "store", b);
      transfer(program, "load", a);
      transfer(program, "load", b);
      transfer(program, "load", b);
    });
    expect(found).toEqual(["load before"]);
  });

  test("before a store over what was loaded", () => {
    const found = plan((program, tensor) => {
      const a = tensor("a");
      transfer(program, "load", a);
      transfer(program, "store", a);
    });
    expect(found).toEqual(["store before"]);
  });

  test("never, where one thread stores for two agents that write the same rows", () => {
    const found = plan((program, tensor) => transfer(program, "store", tensor("a"), 3));
    expect(found).toEqual(["store alone"]);
  });

  test("a copy into the other agent, and a reduction, are one thread's", () => {
    const found = plan((program, tensor) => {
      const view = program.view(tensor("a"));
      program.add("copy", { src: view, dst: view, ...rows(2) });
      program.add("copy", { src: view, dst: view, ...rows(2), offsetX: 1 });
      program.add("reduce", { histogram: 0 });
    });
    expect(found).toEqual(["copy alone", "reduce alone"]);
  });
});

describe("a thread that fails", () => {
  test("is noticed at the next meeting, and nobody waits for it", () => {
    const control = createControl();
    const leader = new Member(0, 2, control);
    new Member(1, 2, control).fail();
    expect(() => leader.meet()).toThrow("a thread of functional execution failed");
  });

  test("is noticed while threads start", () => {
    const control = createControl();
    const leader = new Member(0, 3, control);
    new Member(2, 3, control).fail();
    expect(() => leader.awaitTeam("p")).toThrow("program 'p': one of 3 threads could not start; give fewer");
  });

  test("is noticed when its module cannot be loaded", () => {
    const { program, bound } = checkProgram(compileModel(loadModel("tiny"), loadMachine("rap-e")), "tiny");
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
    const url = "data:text/javascript,import 'node:nothing'";
    const leader = startTeam({ program, bound }, meetings({ program, bound }, 3), memory, 3, url);
    leader.ready(0);
    expect(() => leader.awaitTeam("tiny")).toThrow("agents-worker.js cannot be loaded");
  });
});
