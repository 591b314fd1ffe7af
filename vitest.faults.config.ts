import { defineConfig } from "vitest/config";

// Faults planted into copies of the simulator, one or two test runs for each: some ten minutes.
export default defineConfig({
  test: {
    include: ["test/faults/**/*.test.ts"],
    setupFiles: ["test/support/fixed-seed.ts"],
    testTimeout: 1_200_000,
    hookTimeout: 600_000,
    fileParallelism: false,
  },
});
