import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: ["test/support/requirements.ts"],
    // Two cores are the smallest machine this runs on; every file brings its own servers on free ports.
    maxWorkers: 2,
    // What a test waits for has its own bound, a minute unless the time is what is promised; these are the last resort.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    teardownTimeout: 20_000,
    restoreMocks: true,
    unstubEnvs: true,
    unstubGlobals: true,
    expect: { requireAssertions: true },
  },
});
