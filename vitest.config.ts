import { availableParallelism } from "node:os";
import { join } from "node:path";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

// For whatever the tests start as well: hundreds of processes, a third of whose start would be compiling the same sources.
// Not where bots and workers have theirs: V8 rejects what was compiled under other flags, and each would replace the other's.
process.env["NODE_COMPILE_CACHE"] ??= join(import.meta.dirname, "node_modules/.cache/compile-tests");

/** What takes minutes comes first, what takes a second last: otherwise one core has nothing to do at the end. */
class SlowestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const kinds = ["faults", "e2e", "integration", "contract", "unit"];
    const place = ({ moduleId }: TestSpecification) => kinds.findIndex((kind) => moduleId.includes(`/test/${kind}/`));
    return (await super.sort(files)).toSorted((a, b) => place(a) - place(b));
  }
}

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: ["test/support/requirements.ts"],
    // Two cores are the smallest machine this runs on; every file brings its own servers on free ports.
    maxWorkers: Math.max(4, availableParallelism()),
    sequence: { sequencer: SlowestFirst },
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
