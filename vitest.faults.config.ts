import { defineConfig } from "vitest/config";

// Faults planted into copies of the simulator, one test run for each: half an hour and more.
export default defineConfig({
  test: { include: ["test/faults/**/*.test.ts"], testTimeout: 1_200_000, hookTimeout: 600_000, fileParallelism: false },
});
