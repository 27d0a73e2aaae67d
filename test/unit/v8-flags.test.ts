import { execFileSync } from "node:child_process";
import { describe, expect, test } from "vitest";

const file = new URL("../../src/app/v8-flags.ts", import.meta.url).href;

/** Whether V8 compiles what runs often, in a process that has called these. */
function isCompiled(calls: string): boolean {
  const code = `import { compileFor, saveMemory } from "${file}";
    ${calls};
    const often = (n) => { let sum = 0; for (let i = 0; i < n; i++) sum += i % 7; return sum; };
    for (let i = 0; i < 20_000; i++) often(100);`;
  // Not on another thread, which may not have come to it by the end.
  const flags = ["--trace-opt", "--no-concurrent-recompilation"];
  const said = execFileSync(process.execPath, [...flags, "--input-type=module", "--eval", code], {
    encoding: "utf8",
    env: { PATH: process.env["PATH"] },
  });
  return said.includes("completed compiling");
}

describe("the compilers for code that runs often", () => {
  test("are off, and on where there are fifty servers", () => {
    expect(isCompiled("")).toBe(true);
    expect(isCompiled("saveMemory(); compileFor(49)")).toBe(false);
    expect(isCompiled("saveMemory(); compileFor(50)")).toBe(true);
  });
});
