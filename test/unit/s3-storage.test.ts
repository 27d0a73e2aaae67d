import { describe, expect, it } from "vitest";
import { createS3Requests } from "../../src/lib/clients/s3.ts";
import { isTransient, networkCode } from "../../src/lib/resilience.ts";
import { storageSchema } from "../../src/storages/index.ts";
import { s3Error } from "../../src/storages/s3/errors.ts";
import { choosePartSize, partsAtOnce, sizeOfPart } from "../../src/storages/s3/parts.ts";
import { startS3, startS3Proxy } from "../support/s3.ts";

const mebibyte = 1024 * 1024;
const gibibyte = 1024 * mebibyte;
const place = { storage: "offsite", bucket: "b", server: "s3.example.org" };
const answer = (name: string, status: number) =>
  Object.assign(new Error("told"), { name, $metadata: { httpStatusCode: status } });
const network = (code: string) => Object.assign(new Error(code), { code });

describe("parts", () => {
  it("are 5 MiB, larger where 9,000 of them would not do, and as configured", () => {
    expect(choosePartSize(undefined)).toBe(5 * mebibyte);
    expect(choosePartSize(20 * gibibyte)).toBe(5 * mebibyte);
    expect(choosePartSize(44 * gibibyte)).toBe(6 * mebibyte);
    expect(choosePartSize(500 * gibibyte)).toBe(57 * mebibyte);
    expect(choosePartSize(400 * gibibyte, 16 * mebibyte)).toBe(16 * mebibyte);
  });

  it("stay equal for all of an object that is no larger than expected", () => {
    for (const expected of [gibibyte, 44 * gibibyte, 500 * gibibyte]) {
      const size = choosePartSize(expected);
      expect(sizeOfPart(Math.ceil(expected / size), size)).toBe(size);
    }
  });

  it("grow when the estimate was far too low: 10,000 of them hold over a terabyte, each within its limits", () => {
    let total = 0;
    for (let number = 1; number <= 10_000; number += 1) {
      const size = sizeOfPart(number, 5 * mebibyte);
      expect(size).toBeGreaterThanOrEqual(5 * mebibyte);
      expect(size).toBeLessThanOrEqual(5 * gibibyte);
      total += size;
    }
    expect(sizeOfPart(9000, 5 * mebibyte)).toBe(5 * mebibyte);
    expect(total).toBeGreaterThan(1024 * gibibyte);
  });

  it("fit into what a server takes, also when nothing is known of the size", () => {
    expect(choosePartSize(undefined, undefined, 1000)).toBe(50 * mebibyte);
    expect(choosePartSize(gibibyte, undefined, 1000)).toBe(5 * mebibyte);
    for (const maxParts of [100, 1000, 10_000]) {
      const first = choosePartSize(undefined, undefined, maxParts);
      const planned = (maxParts * 9) / 10;
      expect(first * planned).toBeGreaterThanOrEqual(43 * gibibyte);
      let total = 0;
      for (let number = 1; number <= maxParts; number += 1) total += sizeOfPart(number, first, maxParts);
      expect(sizeOfPart(planned, first, maxParts)).toBe(first);
      expect(sizeOfPart(planned + 1, first, maxParts)).toBe(2 * first);
      expect(total).toBeGreaterThan(60 * gibibyte);
    }
    expect(choosePartSize(900 * gibibyte, undefined, 1000)).toBe(gibibyte);
  });

  it("take bounded memory: fewer at once when they are large", () => {
    for (const size of [5, 8, 16, 32, 64].map((each) => each * mebibyte)) {
      expect((partsAtOnce(size) + 1) * size).toBeLessThanOrEqual(Math.max(64 * mebibyte, 2 * size));
    }
    expect(partsAtOnce(gibibyte)).toBe(1);
  });
});

describe("s3Error", () => {
  it.each([
    [
      network("ECONNREFUSED"),
      "storage-unreachable",
      false,
      "storage offsite: s3.example.org can not be reached (ECONNREFUSED)",
    ],
    [
      new AggregateError([network("ECONNREFUSED")], "all addresses failed"),
      "storage-unreachable",
      false,
      "storage offsite: s3.example.org can not be reached (ECONNREFUSED)",
    ],
    [
      Object.assign(new Error("x"), { name: "TimeoutError" }),
      "storage-unreachable",
      false,
      "storage offsite: s3.example.org does not answer (timeout)",
    ],
    [answer("SlowDown", 503), "storage-unreachable", false, "storage offsite: s3.example.org answers 503 SlowDown"],
    [
      answer("AccessDenied", 403),
      "storage-refused",
      true,
      "storage offsite: s3.example.org refuses access to bucket b (403 AccessDenied): check key, secret and policy",
    ],
    [
      answer("RequestTimeTooSkewed", 403),
      "storage-refused",
      true,
      "storage offsite: the clock of this machine is wrong (RequestTimeTooSkewed)",
    ],
    [
      answer("NoSuchBucket", 404),
      "storage-refused",
      true,
      "storage offsite: bucket b does not exist on s3.example.org: create it",
    ],
    [
      answer("PermanentRedirect", 301),
      "storage-refused",
      true,
      "storage offsite: bucket b is in another region (PermanentRedirect)",
    ],
    [answer("QuotaExceeded", 403), "storage-full", false, "storage offsite: bucket b is full (QuotaExceeded)"],
    [
      answer("InvalidPart", 400),
      "storage-mismatch",
      false,
      "storage offsite: s3.example.org did not keep what was sent (InvalidPart)",
    ],
    [
      answer("InvalidRequest", 400),
      "storage-refused",
      true,
      "storage offsite: s3.example.org answers 400 InvalidRequest: told",
    ],
  ])("understands %s", (error, code, permanent, message) => {
    expect(s3Error(error, place)).toMatchObject({ code, permanent, message });
  });
});

describe("isTransient", () => {
  it("is true for what may pass by itself", () => {
    for (const error of [network("ECONNRESET"), answer("x", 500), answer("x", 429), answer("SlowDown", 503)])
      expect(isTransient(error)).toBe(true);
    for (const error of [answer("x", 400), answer("AccessDenied", 403), new Error("x"), "text"])
      expect(isTransient(error)).toBe(false);
    expect(networkCode(new Error("outer", { cause: network("EPIPE") }))).toBe("EPIPE");
  });
});

describe("requests", () => {
  it("fail when a connection makes no progress, after all attempts", async () => {
    await using server = await startS3();
    await using proxy = await startS3Proxy(server.endpoint);
    proxy.inject({ kind: "stall" });
    const keys = { accessKeyId: "k", secretAccessKey: "secret-key" };
    const requests = createS3Requests({
      endpoint: proxy.endpoint,
      region: "r",
      ...keys,
      forcePathStyle: true,
      idleMs: 100,
    });
    const attempt = requests.call((s3, options) => s3.headObject({ Bucket: server.bucket, Key: "x" }, options));
    await expect(attempt).rejects.toMatchObject({ name: "TimeoutError" });
    expect(proxy.requests).toHaveLength(4);
    requests.close();
  });

  it("send each part with its MD5 and without the SDK's own checksums", async () => {
    await using server = await startS3();
    const seen: Record<string, string>[] = [];
    const keys = { accessKeyId: "k", secretAccessKey: "secret-key" };
    const requests = createS3Requests({ endpoint: server.endpoint, region: "r", ...keys, forcePathStyle: true });
    await requests.call(async (s3, options) => {
      s3.middlewareStack.add(
        (next) => async (args) => {
          seen.push((args.request as { headers: Record<string, string> }).headers);
          return next(args);
        },
        { step: "finalizeRequest", priority: "low" },
      );
      const body = { Body: Buffer.from("x"), ContentMD5: "ndTkYSaMgDT1yFZOFVxnpg==" };
      return s3.putObject({ Bucket: server.bucket, Key: "x", ...body }, options);
    });
    const names = Object.keys(seen[0] ?? {}).map((name) => name.toLowerCase());
    expect(names).toEqual(expect.arrayContaining(["content-md5", "x-amz-content-sha256"]));
    expect(names.filter((name) => /checksum|trailer|expect|crc/.test(name))).toEqual([]);
    // Hashed once: the signed MD5 protects it.
    expect(seen[0]).toMatchObject({ "x-amz-content-sha256": "UNSIGNED-PAYLOAD" });
    expect(seen[0]?.["authorization"]).toContain("content-md5;");
    requests.close();
  });
});

describe("the configuration", () => {
  it("knows prefixes and part sizes", () => {
    const base = { kind: "s3", bucket: "b", accessKeyId: "k", secretAccessKey: "s" };
    expect(storageSchema.parse({ ...base, prefix: "a/b", partSize: "16MiB" })).toMatchObject({
      prefix: "a/b/",
      partSize: 16 * mebibyte,
    });
    expect(storageSchema.parse(base)).toMatchObject({ prefix: "", region: "us-east-1", forcePathStyle: false });
    for (const wrong of [
      { prefix: "/a" },
      { partSize: "1MiB" },
      { partSize: "6GiB" },
      { endpoint: "s3.example.org" },
    ]) {
      expect(storageSchema.safeParse({ ...base, ...wrong }).success).toBe(false);
    }
  });
});
