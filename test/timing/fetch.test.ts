/** Instruction fetch: where code lies, and when a block is there whose requests end in any order. */
import { expect, test } from "vitest";
import { FetchEngine, planFetch } from "../../sim/timing/fetch.ts";
import { Builder } from "./build.ts";

/** Prologue and body of a fence and a halt each, behind so many bytes of tensors; one request for each instruction. */
function plan(dramBytes: number) {
  const builder = new Builder({ "dma.requestBytes": 64, "dram.burstBytes": 64, "dram.latencyCycles": 100 });
  builder.add("fence");
  builder.endPrologue();
  builder.add("fence");
  const { program } = builder.check();
  const p = program.machine.parameters;
  return { p, plan: planFetch({ ...program, dramBytes }, p) };
}

test.each([
  [4096, 4096],
  [4097, 8192],
])("behind %i B of tensors, code begins at %i", (dramBytes, address) => {
  expect(plan(dramBytes).plan.requests.addresses[0]).toBe(address);
});

test("a block is there when the latest of its requests is, though it was not served last", () => {
  const { p, plan: fetchPlan } = plan(4096);
  const arrivals: number[] = [];
  const engine = new FetchEngine(fetchPlan, 0, p, (time) => arrivals.push(time));
  engine.fetch(fetchPlan.body[0], { usage: [], submit: () => {}, wake: () => {} }, 0, 0);
  engine.served(0, 50);
  expect(arrivals).toEqual([]);
  engine.served(1, 20);
  expect(arrivals).toEqual([150]);
});
