import { join } from "node:path";
import { makeFolder, type Program } from "../../isa/index.ts";
import { writeNpy } from "../npy.ts";
import type { Elements } from "./execution.ts";
import type { AssembledProbes } from "./probes.ts";

/**
 * Writes one frame's tensors into a directory: `<layer>.acc.npy`, each layer's int32 accumulators before the bias, and
 * `<tensor>.npy`, the program's outputs, all [height, width, channels]. Returns the paths.
 */
export function dumpTensors(
  directory: string,
  program: Program,
  probes: AssembledProbes,
  outputs: ReadonlyMap<string, Elements>,
): string[] {
  makeFolder(directory);
  const fileName = uniqueNames();
  const paths: string[] = [];
  const write = (name: string, values: Elements, shape: readonly number[]) => {
    const path = join(directory, fileName(name));
    writeNpy(path, values, shape);
    paths.push(path);
  };
  for (const { name, values, shape } of probes.layers.values()) write(`${name}.acc`, values, shape);
  for (const [name, values] of outputs) {
    const tensor = program.tensors.find((candidate) => candidate.name === name)!;
    write(name, values, [tensor.height, tensor.width, tensor.channels]);
  }
  return paths;
}

/** File names from names that may hold anything; what would collide gets a number. */
function uniqueNames(): (name: string) => string {
  const taken = new Set<string>();
  return (name) => {
    const safe = name
      .replace(/[^A-Za-z0-9._-]/g, "_")
      .replace(/^\.+/, "_")
      .slice(0, 200);
    let file = `${safe}.npy`;
    for (let i = 2; taken.has(file.toLowerCase()); i++) file = `${safe}-${i}.npy`;
    taken.add(file.toLowerCase());
    return file;
  };
}
