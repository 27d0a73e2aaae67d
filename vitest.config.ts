import { availableParallelism } from "node:os";
import { join } from "node:path";
import { defineConfig } from "vitest/config";

// For whatever the tests start as well: hundreds of processes, a third of whose start would be compiling the same sources.
// Not where bots and workers have theirs: V8 rejects what was compiled under other flags, and each would replace the other's.
process.env["NODE_COMPILE_CACHE"] ??= join(import.meta.dirname, "node_modules/.cache/compile-tests");

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: ["test/support/requirements.ts"],
    // Two cores are the smallest machine this runs on; every file brings its own servers on free ports.
    maxWorkers: Math.max(4, availableParallelism()),
    // The first collections of a young heap come often and find little.
    execArgv: ["--min-semi-space-size=16", "--initial-heap-size=500"],
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
