import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: ["test/support/requirements.ts"],
    // Two cores are the smallest machine this runs on; every file brings its own servers on free ports.
    maxWorkers: 2,
    // What a test waits for has its own, shorter bound: these are the last resort, generous for a loaded machine.
    testTimeout: 30_000,
    hookTimeout: 60_000,
    teardownTimeout: 20_000,
    restoreMocks: true,
    unstubEnvs: true,
    unstubGlobals: true,
    expect: { requireAssertions: true },
  },
});
