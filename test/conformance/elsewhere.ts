/** Checks that need something installed, data, or minutes: named here with the command that runs them. */
export interface Elsewhere {
  readonly id: string;
  readonly claim: string;
  readonly against: string;
  /** What it needs that `rapsim validate` does without. */
  readonly needs: string;
  readonly command: string;
}

export const ELSEWHERE: readonly Elsewhere[] = [
  {
    id: "verilator",
    claim: "values and cycles of one tensor processor, tile by tile",
    against: "a SystemVerilog model under Verilator",
    needs: "Debian's verilator",
    command: "npx vitest run --config vitest.slow.config.ts test/slow/rtl.test.ts",
  },
  {
    id: "dram",
    claim: "DRAM time: latency, peak, row misses, refresh, fairness; SqueezeDet's requests",
    against: "closed formulas, and a burst-by-burst reference",
    needs: "the checkout",
    command:
      "npx vitest run test/timing/dram.test.ts && npx vitest run --config vitest.slow.config.ts test/slow/dram.test.ts",
  },
  {
    id: "cycle-by-cycle",
    claim: "every start, end and cause of idleness, random programs on random machines",
    against: "a plain cycle-by-cycle simulation of the same rules",
    needs: "the checkout",
    command: "npx vitest run test/timing",
  },
  {
    id: "onnxruntime",
    claim: "int32 accumulators of random convolutions; the exported integer graph",
    against: "onnxruntime",
    needs: "the checkout",
    command: "npx vitest run test/reference.test.ts test/export-onnx.test.ts",
  },
  {
    id: "kitti",
    claim: "detections of the trained network on photographs: average precision, match rate, IoU",
    against: "the float network and the official evaluation",
    needs: "trained network and photographs (RAPSIM_SHARED)",
    command: "npx vitest run --config vitest.slow.config.ts test/slow/kitti.test.ts",
  },
];
