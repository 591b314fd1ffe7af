// The library's promise: quantize, compile, simulate, in a few lines, without the command line.
import { expect, test } from "vitest";
import { KITTI_CLASSES, parseKitti, readKittiFolder, scoreLevels, tallyLevels } from "../../host/index.ts";
import {
  checkProgram,
  compile,
  createSimulationEmitter,
  loadMachine,
  loadModel,
  simulate,
  simulateTiming,
  withParameters,
} from "../../index.ts";

const program = compile(loadModel("tiny"), loadMachine("rap-e"));

test("values and time of a built-in network", () => {
  const { height, width, channels, tensor } = program.host.input;
  const input = new Int8Array(height * width * channels).fill(5);
  const { outputs, timing } = simulate(program, { inputs: [input, input] });
  expect(tensor).toBe(program.tensors.find(({ role }) => role === "input")!.name);
  expect(timing.frames).toBe(2);
  expect(outputs).toHaveLength(2);
  // the same input, the same values, whatever the first frame left behind
  expect(outputs[1]).toEqual(outputs[0]);
});

test("time alone needs no input, and rates may change but not the structure", () => {
  const slow = simulate(program).timing.totals.cycles;
  const wide = withParameters(program.machine, { "dram.bytesPerCycle": 128 }, "test");
  expect(simulate(program, { machine: wide }).timing.totals.cycles).toBeLessThan(slow);
  const other = withParameters(program.machine, { agents: 8 }, "test");
  expect(() => simulate(program, { machine: other })).toThrow("agents: 16, 8");
});

test("events tell of every instruction of every agent, and listening changes nothing", () => {
  const checked = checkProgram(program, "tiny");
  const events = createSimulationEmitter();
  let busy = 0;
  events.on("instruction", ({ startCycle, endCycle }) => {
    busy += endCycle - startCycle;
  });
  const heard = simulateTiming(checked, { events });
  expect(busy).toBeGreaterThan(0);
  expect(heard.totals).toEqual(simulateTiming(checked, {}).totals);
});

test("average precision of detections against labels: rapsim/host", async () => {
  const car = (score: string) => `Car 0 0 0 10 10 110 80 1 1 1 0 0 9 0${score}\n`;
  const [labels, [found]] = [parseKitti(car(""), "label"), parseKitti(car(" 0.9"), "result")];
  const tallies = tallyLevels([{ labels, detections: [{ ...found, score: 0.9 }] }], KITTI_CLASSES);
  // one object, found: one of eleven samples
  expect(scoreLevels(tallies, [1], 11).aps[0]).toBeCloseTo(1 / 11, 12);
  await expect(readKittiFolder("nowhere")).rejects.toThrow("nowhere: no such folder");
});
