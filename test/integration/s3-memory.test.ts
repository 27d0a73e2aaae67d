import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { run } from "../../src/lib/process.ts";
import { temporaryFolder } from "../support/backup.ts";
import { memoryConfig, startMemoryS3 } from "../support/s3-memory.ts";

const child = fileURLToPath(new URL("../support/s3-memory-child.ts", import.meta.url));

interface Outcome {
  readonly peak: number;
  readonly seconds: readonly number[];
  readonly runs: readonly { readonly added: string; readonly unchanged: string }[];
}

/** A bucket of so many tiny objects is backed up twice by a process of its own. */
async function measure(count: number): Promise<Outcome & { readonly requests: readonly string[] }> {
  await using s3 = await startMemoryS3();
  for (let number = 0; number < count; number += 1)
    s3.put(`folder ${number % 100}/object-${number}`, `content of ${number}`);
  using folder = temporaryFolder();
  // The young generation kept small, as the worker is started.
  const argv = [process.execPath, "--max-semi-space-size=1", child, folder.path, JSON.stringify(memoryConfig(s3))];
  const outcome = JSON.parse((await run({ argv }, { timeoutMs: 110_000 })).stdout) as Outcome;
  return { ...outcome, requests: s3.requests };
}

it("needs hardly more memory for 10,000 objects than for 500, and reads none of them twice", {
  timeout: 120_000,
}, async () => {
  const few = await measure(500);
  const many = await measure(10_000);
  expect(many.runs).toMatchObject([{ added: "10000" }, { added: "0", unchanged: "10000" }]);
  const gets = many.requests.filter((request) => request.startsWith("GET "));
  expect(gets).toHaveLength(10_000);
  expect(new Set(gets).size).toBe(10_000);
  expect(many.requests.filter((request) => request.startsWith("HEAD "))).toEqual([]);
  expect(many.peak).toBeLessThan(200);
  expect(many.peak - few.peak).toBeLessThan(40);
});
