import { FORMAT_BYTES, HISTOGRAM_BINS, HISTOGRAM_REGISTERS, type Program, SCALAR_REGISTERS } from "../../isa/index.ts";
import { KERNEL_RESERVED_BYTES } from "../wasm-kernels.ts";

/** Everything begins at a multiple of this: a cache line, and enough for any vector. */
const ALIGNMENT = 64;

const INT32_BYTES = FORMAT_BYTES.i32;

/** The next address at which a memory may begin. */
export function alignUp(address: number): number {
  return Math.ceil(address / ALIGNMENT) * ALIGNMENT;
}

/**
 * Where the chip's memories lie in the one linear memory of an execution: what the kernels reserve, DRAM, the agents'
 * SRAM, their accumulators [agent][tensor processor], histograms [agent][register][bin] as u32, scalar registers
 * [agent][register] as i32; scratch from `end` on.
 */
export interface MemoryMap {
  readonly dram: number;
  readonly sram: (agent: number) => number;
  readonly accumulators: (agent: number, tp: number) => number;
  readonly histograms: number;
  readonly scalars: number;
  readonly end: number;
}

export function mapMemory({ dramBytes, machine: { parameters: p } }: Program): MemoryMap {
  const sramStride = alignUp(p["sram.bytes"]);
  const accumulatorStride = alignUp(p["array.accumulatorBytes"]);
  const tensorProcessors = p["agent.tensorProcessors"];
  const dram = alignUp(KERNEL_RESERVED_BYTES);
  const sram = alignUp(dram + dramBytes);
  const accumulators = sram + p.agents * sramStride;
  const histograms = accumulators + p.agents * tensorProcessors * accumulatorStride;
  const scalars = alignUp(histograms + p.agents * HISTOGRAM_REGISTERS * HISTOGRAM_BINS * INT32_BYTES);
  return {
    dram,
    sram: (agent) => sram + agent * sramStride,
    accumulators: (agent, tp) => accumulators + (agent * tensorProcessors + tp) * accumulatorStride,
    histograms,
    scalars,
    end: alignUp(scalars + p.agents * SCALAR_REGISTERS * INT32_BYTES),
  };
}

/** Number of a histogram's first bin among all bins of the chip. */
export function histogramAt(agent: number, register: number): number {
  return (agent * HISTOGRAM_REGISTERS + register) * HISTOGRAM_BINS;
}

/** Number of a scalar register among all of the chip. */
export function scalarAt(agent: number, register: number): number {
  return agent * SCALAR_REGISTERS + register;
}
