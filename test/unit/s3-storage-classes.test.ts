import { describe, expect, it } from "vitest";
import { classForTiers, isArchived } from "../../src/storages/s3/classes.ts";
import { sizeOfCopiedPart } from "../../src/storages/s3/parts.ts";
import type { Storage } from "../../src/storages/types.ts";
import { storageOf } from "../support/backup.ts";
import { type S3Stub, type StubAnswer, type StubRequest, s3Refusal, startS3Stub } from "../support/s3-stub.ts";

const gibibyte = 1024 ** 3;
const storageAt = (stub: S3Stub, config: object = {}): Storage =>
  storageOf("offsite", {
    kind: "s3",
    bucket: "backups",
    prefix: "prod",
    forcePathStyle: true,
    accessKeyId: "KEYID",
    secretAccessKey: "secret-access-key",
    endpoint: stub.endpoint,
    ...config,
  });

/** A server that holds one object, whose class changes when it is copied. */
const holding = (
  bytes: number,
  headers: Record<string, string>,
  special?: (request: StubRequest) => StubAnswer | undefined,
) => {
  let storageClass = headers["x-amz-storage-class"];
  return (request: StubRequest): StubAnswer | undefined => {
    const answer = special?.(request);
    if (answer) return answer;
    const { operation, headers: sent } = request;
    if (operation === "CopyObject" || operation === "CreateMultipartUpload") storageClass = sent["x-amz-storage-class"];
    if (operation !== "HeadObject") return undefined;
    const own = storageClass === undefined ? {} : { "x-amz-storage-class": storageClass };
    return { headers: { etag: '"sum"', ...headers, ...own, "content-length": `${bytes}` } };
  };
};

describe("the class for tiers", () => {
  const classes = { monthly: "STANDARD_IA", yearly: "DEEP_ARCHIVE" };
  it.each([
    [["monthly"], "STANDARD_IA"],
    [["yearly"], "DEEP_ARCHIVE"],
    [["yearly", "monthly"], "STANDARD_IA"],
    [["daily", "monthly"], undefined],
    [["last", "daily", "weekly", "monthly", "yearly"], undefined],
    [[], undefined],
    [["pinned", "monthly"], undefined],
  ])("%j: %s", (tiers, expected) => expect(classForTiers(classes, tiers)).toBe(expected));

  it("is the last one's at once where the first would be an archive: nothing moves from archive to archive", () => {
    const archives = { monthly: "GLACIER", yearly: "DEEP_ARCHIVE" };
    expect(classForTiers(archives, ["monthly", "yearly"])).toBe("DEEP_ARCHIVE");
    expect(classForTiers(archives, ["monthly"])).toBe("GLACIER");
    expect(classForTiers(undefined, ["monthly"])).toBeUndefined();
  });

  it("tells what can be read", () => {
    expect(isArchived("GLACIER", undefined)).toBe(true);
    expect(isArchived("GLACIER", 'ongoing-request="true"')).toBe(true);
    expect(isArchived("GLACIER", 'ongoing-request="false", expiry-date="Fri, 21 Dec 2026 00:00:00 GMT"')).toBe(false);
    expect(isArchived("GLACIER_IR", undefined)).toBe(false);
    expect(isArchived(undefined, undefined)).toBe(false);
  });
});

describe("a move into another class", () => {
  const until = new Date(Date.now() + 86_400_000).toISOString();
  const kept = {
    "x-amz-server-side-encryption": "aws:kms",
    "x-amz-server-side-encryption-aws-kms-key-id": "key-1",
    "x-amz-object-lock-mode": "GOVERNANCE",
  };

  it("copies the object onto itself, with its encryption and lock, and only if it is still the same", async () => {
    const lock = { "x-amz-object-lock-retain-until-date": until };
    await using stub = await startS3Stub(holding(5, { ...kept, ...lock }));
    const storage = storageAt(stub, { storageClasses: { monthly: "GLACIER_IR" } });
    expect(storage.classFor?.(["monthly"])).toBe("GLACIER_IR");
    await storage.setClass?.("app/run/a b+é.zst", "GLACIER_IR");
    expect(stub.requests.map(({ operation }) => operation)).toEqual(["HeadObject", "CopyObject", "HeadObject"]);
    const [copy] = stub.of("CopyObject");
    expect(copy?.headers).toMatchObject({
      ...kept,
      "x-amz-storage-class": "GLACIER_IR",
      "x-amz-copy-source": "backups/prod/app/run/a%20b%2B%C3%A9.zst",
      "x-amz-copy-source-if-match": '"sum"',
    });
    expect(Date.parse(copy?.headers["x-amz-object-lock-retain-until-date"] ?? "")).toBe(Date.parse(until));
    expect(copy?.headers).not.toHaveProperty("x-amz-metadata-directive", "REPLACE");
    expect(copy?.signed).toEqual(expect.arrayContaining(["x-amz-copy-source", "x-amz-storage-class"]));
    await storage.close();
  });

  it("leaves a lock that has ended behind, which no server would take", async () => {
    const lock = { "x-amz-object-lock-retain-until-date": "2020-01-01T00:00:00Z" };
    await using stub = await startS3Stub(holding(5, { ...kept, ...lock }));
    const storage = storageAt(stub);
    await storage.setClass?.("app/part", "STANDARD_IA");
    expect(Object.keys(stub.of("CopyObject")[0]?.headers ?? {}).filter((name) => name.includes("lock"))).toEqual([]);
    await storage.close();
  });

  it("does nothing for an object that is there already", async () => {
    await using stub = await startS3Stub(holding(5, {}));
    const storage = storageAt(stub);
    await storage.setClass?.("app/part", "STANDARD");
    expect(stub.requests.map(({ operation }) => operation)).toEqual(["HeadObject"]);
    await storage.close();
  });

  it.each([
    ["an archived one", holding(5, { "x-amz-storage-class": "GLACIER" }), { text: { key: "error-s3-archived" } }],
    ["none at all", () => undefined, { code: "not-found" }],
  ])("refuses %s before anything is copied", async (_what, script, expected) => {
    await using stub = await startS3Stub(script);
    const storage = storageAt(stub);
    await expect(storage.setClass?.("app/part", "DEEP_ARCHIVE")).rejects.toMatchObject(expected);
    expect(stub.of("CopyObject")).toEqual([]);
    await storage.close();
  });

  it("fails when the object is not in its class afterwards", async () => {
    await using stub = await startS3Stub(({ operation }) =>
      operation === "HeadObject" ? { headers: { "content-length": "5" } } : undefined,
    );
    const storage = storageAt(stub);
    await expect(storage.setClass?.("app/part", "STANDARD_IA")).rejects.toMatchObject({
      code: "storage-mismatch",
      text: { key: "error-storage-class" },
    });
    await storage.close();
  });

  it("of over 5 GiB goes in parts that cover every byte, with its metadata", async () => {
    const bytes = 5 * gibibyte + 7;
    await using stub = await startS3Stub(holding(bytes, { ...kept, "x-amz-meta-origin": "here" }));
    const storage = storageAt(stub);
    await storage.setClass?.("app/part", "STANDARD_IA");
    expect(stub.of("CopyObject")).toEqual([]);
    expect(stub.of("CreateMultipartUpload")[0]?.headers).toMatchObject({
      "x-amz-storage-class": "STANDARD_IA",
      "x-amz-server-side-encryption": "aws:kms",
      "x-amz-meta-origin": "here",
    });
    const parts = stub.of("UploadPartCopy").map(({ url, headers }) => ({
      number: Number(new URL(url, stub.endpoint).searchParams.get("partNumber")),
      range: headers["x-amz-copy-source-range"],
      same: headers["x-amz-copy-source-if-match"],
    }));
    const sorted = parts.toSorted((a, b) => a.number - b.number);
    expect(sorted.map(({ range }) => range)).toEqual([
      ...[0, 1, 2, 3, 4].map((part) => `bytes=${part * gibibyte}-${(part + 1) * gibibyte - 1}`),
      `bytes=${5 * gibibyte}-${bytes - 1}`,
    ]);
    expect(new Set(parts.map(({ same }) => same))).toEqual(new Set(['"sum"']));
    const list = stub.of("CompleteMultipartUpload")[0]?.body.toString() ?? "";
    expect([...list.matchAll(/<PartNumber>(\d)<\/PartNumber>/g)].map(([, number]) => number)).toEqual([
      "1",
      "2",
      "3",
      "4",
      "5",
      "6",
    ]);
    await storage.close();
  });

  it("that fails half-way leaves the object as it was and no upload behind", async () => {
    const failing = holding(6 * gibibyte, {}, ({ operation, url }) =>
      operation === "UploadPartCopy" && url.includes("partNumber=3") ? s3Refusal(412, "PreconditionFailed") : undefined,
    );
    await using stub = await startS3Stub(failing);
    const storage = storageAt(stub);
    await expect(storage.setClass?.("app/part", "STANDARD_IA")).rejects.toMatchObject({ code: "storage-refused" });
    expect(stub.of("AbortMultipartUpload")).toHaveLength(1);
    expect(stub.of("CompleteMultipartUpload")).toEqual([]);
    await storage.close();
  });

  it("chooses parts that fit into what a server takes", () => {
    expect(sizeOfCopiedPart(6 * gibibyte)).toBe(gibibyte);
    expect(Math.ceil((5000 * gibibyte) / sizeOfCopiedPart(5000 * gibibyte, 1000))).toBeLessThanOrEqual(1000);
    expect(sizeOfCopiedPart(5000 * gibibyte, 1000)).toBeLessThanOrEqual(5 * gibibyte);
  });
});

describe("the configuration of classes", () => {
  const config = (more: object) => () =>
    storageOf("offsite", { kind: "s3", bucket: "b", accessKeyId: "k", secretAccessKey: "secret", ...more });
  it("refuses what could not be proven, and what belongs together and is not", () => {
    expect(config({ storageClass: "DEEP_ARCHIVE" })).toThrow("config-problem-archive-class");
    expect(config({ storageClasses: { hourly: "STANDARD_IA" } })).toThrow();
    expect(config({ storageClass: "COLD STORE" })).toThrow("config-problem-storage-class");
    expect(config({ kmsKeyId: "key" })).toThrow("config-problem-kms");
    expect(config({ serverSideEncryption: "AES256", kmsKeyId: "key" })).toThrow("config-problem-kms");
    expect(config({ objectLock: { mode: "governance", for: "1m" } })).toThrow("config-problem-lock-time");
    expect(config({ objectLock: { mode: "legal", for: "1d" } })).toThrow();
    expect(config({ secretAccessKey: undefined })).toThrow("config-problem-s3-keys");
    expect(config({ accessKeyId: undefined })).toThrow("config-problem-s3-keys");
    expect(config({ accessKeyId: undefined, secretAccessKey: undefined })).not.toThrow();
    expect(config({ bandwidth: "1KiB" })).toThrow("config-problem-bandwidth");
    expect(config({ maxParts: 10_001 })).toThrow();
    expect(config({ concurrency: 0 })).toThrow();
  });
});
