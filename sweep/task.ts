/**
 * A piece of work: points that share a program. It is what threads are handed and what goes through the queue, so it holds
 * numbers and names only: no path, no code. The network is named by the hash of its content.
 */
import { z } from "zod";
import { PACKINGS, PARAMETER_KEYS, PARAMETERS, type ParameterKey } from "../isa/index.ts";
import { figuresSchema } from "./figures.ts";
import type { Point } from "./point.ts";

/** Points of a task at most: what a worker that dies loses, and has to be done again. */
export const TASK_POINTS = 16;

const index = z
  .number()
  .int()
  .min(0)
  .max(2 ** 31);
const value = z.union([z.number(), z.boolean(), z.string().max(40)]);
const parameterName = z.enum(PARAMETER_KEYS as [ParameterKey, ...ParameterKey[]]);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

export const taskSchema = z.strictObject({
  /** SHA-256 of the .rapq file. */
  model: sha256,
  /** All parameters of the machine the program is made for. */
  machine: z.record(parameterName, value),
  optimize: z.union([z.literal(0), z.literal(1), z.literal(2)]),
  packing: z.enum(PACKINGS).nullable(),
  frames: z.number().int().min(1).max(10000),
  overlapFrames: z.boolean(),
  /** What each point's machine differs in. */
  points: z
    .array(z.strictObject({ index, rates: z.partialRecord(parameterName, value) }))
    .min(1)
    .max(TASK_POINTS),
});
export type Task = z.infer<typeof taskSchema>;

/** What became of a point: its figures, or why it has none. */
export const outcomeSchema = z.strictObject({
  index,
  figures: figuresSchema.nullable(),
  error: z.string().max(4000).nullable(),
});
export type Outcome = z.infer<typeof outcomeSchema>;

export interface TimingChoices {
  readonly frames: number;
  readonly overlapFrames: boolean;
}

/** Points by program, in tasks; the same ones whatever is left of them to do. @param modelOf SHA-256 of a point's network */
export function tasksOf(
  points: readonly Point[],
  modelOf: (point: Point) => string,
  { frames, overlapFrames }: TimingChoices,
): Task[] {
  const groups = new Map<string, Task>();
  const tasks: Task[] = [];
  for (const point of points) {
    const { index, options, machine, compiledFor } = point;
    const program = {
      model: modelOf(point),
      machine: compiledFor.parameters,
      optimize: options.optimize,
      packing: options.packing,
      frames,
      overlapFrames,
    };
    const key = JSON.stringify(program);
    let task = groups.get(key);
    if (task === undefined || task.points.length >= TASK_POINTS) {
      task = { ...program, points: [] };
      groups.set(key, task);
      tasks.push(task);
    }
    task.points.push({ index, rates: differences(machine.parameters, compiledFor.parameters) });
  }
  // tasks of one program next to each other: a worker that has it takes the next
  return tasks.sort((a, b) => a.points[0].index - b.points[0].index);
}

function differences(a: Point["machine"]["parameters"], b: Point["machine"]["parameters"]) {
  return Object.fromEntries(
    PARAMETER_KEYS.filter((key) => PARAMETERS[key].kind === "rate" && a[key] !== b[key]).map((key) => [key, a[key]]),
  );
}
