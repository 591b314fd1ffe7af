import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { RapError } from "../isa/errors.ts";
import type { Kernels } from "./kernel-api.ts";

/** Bytes 0..1023 belong to the kernels; callers' data begin here, so that address 0 never names any. */
export const KERNEL_RESERVED_BYTES = 1024;

const PAGE_BYTES = 65536;
const MAX_PAGES = 65536;

/** Beside the compiled loader, or where the build writes it when the sources themselves run. */
const PLACES = ["./kernels.wasm", "../dist/sim/kernels.wasm"];

let compiled: WebAssembly.Module | undefined;

/** Compiled once per process, and synchronously: asynchronous compilation now and then left slow code on Node 20. */
function kernelModule(): WebAssembly.Module {
  if (compiled === undefined) {
    const paths = PLACES.map((place) => fileURLToPath(new URL(place, import.meta.url)));
    const path = paths.find((candidate) => existsSync(candidate));
    if (path === undefined) {
      throw new RapError(`kernels.wasm: not found at ${paths.join(" or ")}; build it with \`npm run build\``);
    }
    compiled = new WebAssembly.Module(readFileSync(path));
  }
  return compiled;
}

/**
 * A zeroed memory of at least `bytes` bytes, growable to 4 GiB. Shared, so that workers may attach to it; its views
 * stay valid when it grows, but do not see the growth.
 */
export function createKernelMemory(bytes: number): WebAssembly.Memory {
  const initial = Math.max(1, Math.ceil(bytes / PAGE_BYTES));
  if (!(initial <= MAX_PAGES)) {
    throw new RapError(`simulated memories: ${bytes} bytes; a run holds at most ${MAX_PAGES * PAGE_BYTES} (4 GiB)`);
  }
  try {
    return new WebAssembly.Memory({ initial, maximum: MAX_PAGES, shared: true });
  } catch (cause) {
    throw new RapError(`simulated memories: this computer does not grant ${bytes} bytes`, { cause });
  }
}

/** The WebAssembly kernels over a new memory of so many bytes, or over one that another thread made. */
export function createWasmKernels(memory: number | WebAssembly.Memory): Kernels {
  const shared = typeof memory === "number" ? createKernelMemory(memory) : memory;
  const instance = new WebAssembly.Instance(kernelModule(), { env: { memory: shared } });
  // The exports are this interface's methods; test/kernels.test.ts calls each.
  return { memory: shared, ...(instance.exports as unknown as Omit<Kernels, "memory">) };
}
