import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { run } from "../../src/lib/process.ts";
import { temporaryFolder } from "../support/backup.ts";
import { startS3 } from "../support/s3.ts";

const child = fileURLToPath(new URL("../support/memory-child.ts", import.meta.url));

interface Outcome {
  readonly peak: number;
  readonly bytes: number;
  readonly copies: readonly string[];
}

it("needs as much memory for 250 MiB as for 50 MiB, and less than 150 MiB", { timeout: 120_000 }, async () => {
  await using s3 = await startS3();
  const backup = async (mebibytes: number): Promise<Outcome> => {
    using folder = temporaryFolder();
    const keys = { accessKeyId: "k", secretAccessKey: "secret-key" };
    const storages = {
      local: { kind: "local", path: folder.path },
      offsite: {
        kind: "s3",
        endpoint: s3.endpoint,
        bucket: s3.bucket,
        prefix: String(mebibytes),
        ...keys,
        forcePathStyle: true,
      },
    };
    // The young generation kept small, as the worker is started.
    const argv = [process.execPath, "--max-semi-space-size=1", child, String(mebibytes), JSON.stringify(storages)];
    return JSON.parse((await run({ argv }, { timeoutMs: 60_000 })).stdout) as Outcome;
  };
  const small = await backup(50);
  const large = await backup(250);
  for (const { copies } of [small, large]) expect(copies).toEqual(["stored", "stored"]);
  expect(large.bytes).toBeGreaterThan(250 * 1024 * 1024);
  expect(large.peak).toBeLessThan(150);
  expect(large.peak - small.peak).toBeLessThan(20);
});
