import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["test/slow/**", "test/faults/**"],
    setupFiles: ["test/support/fixed-seed.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // as many as cores: by default one is left free, which on two cores doubles the time
    maxWorkers: "100%",
  },
});
