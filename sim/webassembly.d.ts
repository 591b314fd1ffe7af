/** The part of WebAssembly that the kernels use; TypeScript declares it in its DOM library alone. */
declare namespace WebAssembly {
  class Module {
    constructor(bytes: Uint8Array);
  }
  class Instance {
    readonly exports: Record<string, unknown>;
    constructor(module: Module, imports: Record<string, Record<string, unknown>>);
  }
  class Memory {
    readonly buffer: ArrayBuffer | SharedArrayBuffer;
    constructor(descriptor: { initial: number; maximum?: number; shared?: boolean });
    /** Grows by so many 64 KiB pages; returns the pages before. */
    grow(pages: number): number;
  }
}
