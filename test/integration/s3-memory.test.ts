import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { run } from "../../src/lib/process.ts";
import { temporaryFolder } from "../support/backup.ts";
import { contentOf, keyOf, memoryConfig, startMemoryS3 } from "../support/s3-memory.ts";

interface Outcome {
  readonly peak: number;
  readonly seconds: readonly number[];
  readonly runs: readonly { readonly added: string; readonly unchanged: string }[];
}

interface Listing {
  readonly peak: number;
  readonly entries: number;
  readonly source: Readonly<Record<string, string>>;
}

/** What a process of its own prints that backs up a bucket of so many tiny objects. */
async function measure<T>(script: string, count: number): Promise<{ told: T; requests: readonly string[] }> {
  await using s3 = await startMemoryS3();
  for (let number = 0; number < count; number += 1) s3.put(keyOf(number), contentOf(number));
  using folder = temporaryFolder();
  const file = fileURLToPath(new URL(`../support/${script}.ts`, import.meta.url));
  // The young generation kept small, as the worker is started.
  const argv = [process.execPath, "--max-semi-space-size=1", file, folder.path, JSON.stringify(memoryConfig(s3))];
  const { stdout } = await run({ argv: [...argv, String(count)] }, { timeoutMs: 150_000 });
  return { told: JSON.parse(stdout) as T, requests: s3.requests };
}

// Both are large enough for the garbage collector to have settled: below that, it lets memory grow.
it("reads no object twice, and needs no more memory for more of them", { timeout: 300_000 }, async () => {
  const few = await measure<Outcome>("s3-memory-child", 3000);
  const many = await measure<Outcome>("s3-memory-child", 8000);
  expect(many.told.runs).toMatchObject([{ added: "8000" }, { added: "0", unchanged: "8000" }]);
  const gets = many.requests.filter((request) => request.startsWith("GET "));
  expect(gets).toHaveLength(8000);
  expect(new Set(gets).size).toBe(8000);
  expect(many.requests.filter((request) => request.startsWith("HEAD "))).toEqual([]);
  expect(many.told.peak).toBeLessThan(260);
  // What is left to the garbage collector differs from run to run; all objects in memory would be far more.
  expect(many.told.peak - few.told.peak).toBeLessThan(50);
});

it("lists 200,000 objects in the memory that 60,000 need", { timeout: 300_000 }, async () => {
  const few = await measure<Listing>("s3-list-child", 60_000);
  const many = await measure<Listing>("s3-list-child", 200_000);
  expect(many.told).toMatchObject({
    entries: 200_000,
    source: { unchanged: "200000", added: "0", mode: "incremental" },
  });
  expect(many.requests.every((request) => request === "LIST")).toBe(true);
  expect(many.told.peak - few.told.peak).toBeLessThan(50);
});
