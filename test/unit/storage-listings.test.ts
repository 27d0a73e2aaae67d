import { stat } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import type { Storage } from "../../src/storages/types.ts";
import { storageOf, temporaryFolder } from "../support/backup.ts";
import { startS3Stub } from "../support/s3-stub.ts";

vi.mock("node:fs/promises", async (original) => {
  const real = await original<typeof import("node:fs/promises")>();
  return { ...real, stat: vi.fn<typeof real.stat>(real.stat) };
});

afterEach(() => {
  vi.mocked(stat).mockReset();
});

async function keysOf(storage: Storage): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of storage.list("")) keys.push(key);
  return keys;
}

/** As the kernel refuses a look at a file. */
function refusal(code: string): Error {
  return Object.assign(new Error(`${code}: stat`), { code });
}

describe("a part of a list never passes for all of it", () => {
  test("on a disk that does not tell what a file is", async () => {
    using folder = temporaryFolder();
    const storage = storageOf("disk", { kind: "local", path: join(folder.path, "backups") });
    const signal = new AbortController().signal;
    for (const name of ["a", "b", "c"]) await storage.put(`app/${name}`, Buffer.from(name), signal);
    const real = await vi.importActual<typeof import("node:fs/promises")>("node:fs/promises");
    const failing = (code: string) => async (path: Parameters<typeof stat>[0]) => {
      if (String(path).endsWith("b")) throw refusal(code);
      return await real.stat(path);
    };
    vi.mocked(stat).mockImplementation(failing("ENOENT"));
    expect(await keysOf(storage)).toEqual(["app/a", "app/c"]);
    vi.mocked(stat).mockImplementation(failing("EIO"));
    await expect(keysOf(storage)).rejects.toMatchObject({ code: "storage-unreachable", context: { errno: "EIO" } });
  });

  test("by a server that does not say how to go on", async () => {
    const contents = "<Contents><Key>prod/app/a</Key><Size>1</Size></Contents>";
    await using stub = await startS3Stub(({ operation }) =>
      operation === "ListObjects"
        ? { body: `<ListBucketResult><IsTruncated>true</IsTruncated>${contents}</ListBucketResult>` }
        : undefined,
    );
    const keys = { accessKeyId: "KEYID", secretAccessKey: "secret-access-key" };
    const place = { kind: "s3", bucket: "backups", prefix: "prod", forcePathStyle: true, endpoint: stub.endpoint };
    await expect(keysOf(storageOf("offsite", { ...place, ...keys }))).rejects.toMatchObject({
      code: "storage-unreachable",
      text: { key: "error-s3-list" },
    });
  });
});
