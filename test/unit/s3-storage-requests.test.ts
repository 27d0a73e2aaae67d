import { createHash, createHmac, randomBytes } from "node:crypto";
import dns from "node:dns";
import { afterEach, describe, expect, it, vi } from "vitest";
import { createS3Requests } from "../../src/lib/clients/s3.ts";
import { Target } from "../../src/services/backup/target.ts";
import { s3Schema } from "../../src/storages/s3/schema.ts";
import { targetOf } from "../../src/storages/s3/target.ts";
import { S3Writer } from "../../src/storages/s3/writer.ts";
import type { Storage } from "../../src/storages/types.ts";
import { filesBelow, RecordingObserver, storageOf, temporaryFolder } from "../support/backup.ts";
import { type S3Stub, type StubAnswer, type StubRequest, s3Refusal, startS3Stub } from "../support/s3-stub.ts";

const mebibyte = 1024 * 1024;
const dayMs = 24 * 3_600_000;
const signal = new AbortController().signal;
const keys = { accessKeyId: "KEYID", secretAccessKey: "secret-access-key" };
const base = { kind: "s3", bucket: "backups", prefix: "prod", forcePathStyle: true, partSize: "5MiB" };
const storageAt = (stub: S3Stub, config: object = {}): Storage =>
  storageOf("offsite", { ...base, ...keys, endpoint: stub.endpoint, ...config });

async function write(storage: Storage, key: string, bytes: Uint8Array): Promise<void> {
  const writer = await storage.create(key, { signal });
  await writer.write(bytes);
  await writer.commit({ bytes: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") });
}

/** An answer to HeadObject. */
const object = (bytes: number, headers: Record<string, string> = {}): StubAnswer => ({
  headers: { "content-length": `${bytes}`, etag: '"sum"', ...headers },
});

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

describe("new objects", () => {
  const special = {
    storageClass: "STANDARD_IA",
    serverSideEncryption: "aws:kms",
    kmsKeyId: "key-1",
    objectLock: { mode: "compliance", for: "30d" },
  };
  const protection = {
    "x-amz-server-side-encryption": "aws:kms",
    "x-amz-server-side-encryption-aws-kms-key-id": "key-1",
    "x-amz-object-lock-mode": "COMPLIANCE",
    "x-amz-object-lock-retain-until-date": expect.any(String),
  };
  const lockedFor = ({ headers }: StubRequest) =>
    Date.parse(headers["x-amz-object-lock-retain-until-date"] ?? "") - Date.now();

  it("are sent whole with class, encryption and lock, all of it signed, and with the MD5 that a lock demands", async () => {
    await using stub = await startS3Stub();
    const storage = storageAt(stub, special);
    await write(storage, "app/run/part", Buffer.from("x"));
    const [request] = stub.of("PutObject");
    expect(request?.headers).toMatchObject({
      ...protection,
      "x-amz-storage-class": "STANDARD_IA",
      "content-md5": "ndTkYSaMgDT1yFZOFVxnpg==",
    });
    const names = ["x-amz-storage-class", "content-md5", ...Object.keys(protection)];
    expect(request?.signed).toEqual(expect.arrayContaining(names));
    expect(Math.abs(lockedFor(request as StubRequest) - 30 * dayMs)).toBeLessThan(60_000);
    expect(storage.lockedMs).toBe(30 * dayMs);
    await storage.close();
  });

  it("in parts: the beginning carries all that, each part its MD5 only", async () => {
    await using stub = await startS3Stub();
    const storage = storageAt(stub, special);
    await write(storage, "app/run/part", randomBytes(11 * mebibyte));
    const [begin] = stub.of("CreateMultipartUpload");
    expect(begin?.headers).toMatchObject({ ...protection, "x-amz-storage-class": "STANDARD_IA" });
    expect(begin?.signed).toEqual(expect.arrayContaining(Object.keys(protection)));
    const parts = stub.of("UploadPart");
    expect(parts.map(({ body }) => body.length).toSorted((a, b) => a - b)).toEqual(
      [1, 5, 5].map((size) => size * mebibyte),
    );
    for (const { headers, signed } of parts) {
      expect(headers["content-md5"]).toBeDefined();
      expect(signed).toContain("content-md5");
      expect(Object.keys(headers).filter((name) => /storage-class|encryption|lock|checksum/.test(name))).toEqual([]);
    }
    await storage.close();
  });

  it("keep manifests where they can always be read: encrypted and locked, in the server's own class", async () => {
    await using stub = await startS3Stub((request) => (request.operation === "GetObject" ? { body: "{}" } : undefined));
    const storage = storageAt(stub, special);
    await storage.put("app/run/manifest.json", Buffer.from("{}"), signal);
    const [request] = stub.of("PutObject");
    expect(request?.headers).toMatchObject(protection);
    expect(request?.headers).not.toHaveProperty("x-amz-storage-class");
    await storage.close();
  });

  it("are probed as they will be sent, locked for a minute", async () => {
    let stored: Buffer = Buffer.alloc(0);
    await using stub = await startS3Stub(({ operation, body }) => {
      if (operation === "PutObject") stored = body;
      return operation === "GetObject" ? { body: stored } : undefined;
    });
    const storage = storageAt(stub, special);
    await storage.probe();
    const [request] = stub.of("PutObject");
    expect(request?.headers).toMatchObject({ ...protection, "x-amz-storage-class": "STANDARD_IA" });
    expect(lockedFor(request as StubRequest)).toBeLessThanOrEqual(60_000);
    await storage.close();
  });

  it("carry nothing that was not asked for", async () => {
    await using stub = await startS3Stub();
    const storage = storageAt(stub);
    await write(storage, "app/run/part", Buffer.from("x"));
    const names = Object.keys(stub.of("PutObject")[0]?.headers ?? {});
    expect(names.filter((name) => /class|encryption|lock|checksum|token/.test(name))).toEqual([]);
    expect(storage.lockedMs).toBeUndefined();
    expect(storage.classFor?.(["monthly"])).toBeUndefined();
    await storage.close();
  });

  it.each([1, 3])("have %i parts on their way at once, as configured", async (concurrency) => {
    let open = 0;
    let most = 0;
    let release: (() => void)[] = [];
    await using stub = await startS3Stub(async ({ operation, body }) => {
      if (operation !== "UploadPart") return undefined;
      open += 1;
      most = Math.max(most, open);
      // The last part of the object is smaller and may come alone.
      const all = open === concurrency || body.length < 5 * mebibyte;
      await new Promise<void>((resolve) => {
        release.push(resolve);
        if (!all) return;
        for (const each of release) each();
        release = [];
      });
      open -= 1;
      return undefined;
    });
    const storage = storageAt(stub, { concurrency });
    await write(storage, "app/run/part", randomBytes(31 * mebibyte));
    expect(stub.of("UploadPart")).toHaveLength(7);
    expect(most).toBe(concurrency);
    await storage.close();
  });

  it("that need more parts than the server takes end with a line that says so, and leave nothing", async () => {
    await using stub = await startS3Stub();
    const config = s3Schema.parse({ ...base, ...keys, endpoint: stub.endpoint });
    const writer = new S3Writer({ ...targetOf("offsite", config), maxParts: 2 }, "part", 5 * mebibyte, { signal });
    const attempt = (async () => {
      await writer.write(randomBytes(16 * mebibyte));
      await writer.commit({ bytes: 16 * mebibyte, sha256: "" });
    })();
    await expect(attempt).rejects.toMatchObject({
      code: "storage-refused",
      text: { key: "error-storage-parts", args: { storage: "offsite", parts: 2 } },
    });
    await writer.abort();
    expect(stub.of("UploadPart")).toHaveLength(2);
    expect(stub.of("AbortMultipartUpload")).toHaveLength(1);
  });
});

describe("addresses", () => {
  it.each([
    [true, "s3.test", "/backups/prod/app/part"],
    [false, "backups.s3.test", "/prod/app/part"],
  ])("with path style %s: host %s, path %s", async (forcePathStyle, host, path) => {
    await using stub = await startS3Stub();
    const local = ((_name: string, options: { all?: boolean }, done: (...args: unknown[]) => void) =>
      options.all
        ? done(null, [{ address: "127.0.0.1", family: 4 }])
        : done(null, "127.0.0.1", 4)) as unknown as typeof dns.lookup;
    const asked = vi.spyOn(dns, "lookup").mockImplementation(local);
    const storage = storageAt(stub, { endpoint: `http://s3.test:${stub.port}`, forcePathStyle });
    await storage.delete(["app/part"]);
    expect(asked.mock.calls.map(([name]) => name)).toEqual([host]);
    expect(stub.requests[0]?.headers["host"]).toBe(`${host}:${stub.port}`);
    expect(stub.requests[0]?.url.split("?", 1)[0]).toBe(path);
    await storage.close();
  });
});

describe("keys", () => {
  it("come from the environment when the settings have none", async () => {
    await using stub = await startS3Stub();
    vi.stubEnv("AWS_ACCESS_KEY_ID", "FROMENV");
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", "secret-from-env");
    vi.stubEnv("AWS_SESSION_TOKEN", "token-from-env");
    const storage = storageOf("offsite", { ...base, endpoint: stub.endpoint });
    await storage.delete(["app/part"]);
    expect(stub.requests[0]?.headers["authorization"]).toContain("Credential=FROMENV/");
    expect(stub.requests[0]?.headers["x-amz-security-token"]).toBe("token-from-env");
    await storage.close();
  });

  it("of the settings go before those of the environment, with their session token", async () => {
    await using stub = await startS3Stub();
    vi.stubEnv("AWS_ACCESS_KEY_ID", "FROMENV");
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", "secret-from-env");
    const storage = storageAt(stub, { sessionToken: "temporary-token" });
    await storage.delete(["app/part"]);
    expect(stub.requests[0]?.headers["authorization"]).toContain("Credential=KEYID/");
    expect(stub.requests[0]?.headers["x-amz-security-token"]).toBe("temporary-token");
    await storage.close();
  });

  it("that are nowhere: one line that says what to set", async () => {
    await using stub = await startS3Stub();
    using home = temporaryFolder();
    for (const name of Object.keys(process.env).filter((name) => name.startsWith("AWS_"))) vi.stubEnv(name, undefined);
    vi.stubEnv("AWS_EC2_METADATA_DISABLED", "true");
    vi.stubEnv("AWS_SHARED_CREDENTIALS_FILE", `${home.path}/none`);
    vi.stubEnv("AWS_CONFIG_FILE", `${home.path}/none`);
    const storage = storageOf("offsite", { ...base, endpoint: stub.endpoint });
    await expect(storage.delete(["app/part"])).rejects.toMatchObject({
      code: "storage-refused",
      text: { key: "error-s3-keys" },
    });
    expect(stub.requests).toEqual([]);
    await storage.close();
  });
});

describe("download links", () => {
  /** The signature that the address must have: computed here from what AWS has published, by no code of the SDK. */
  function signatureOf(url: URL, secret: string): string {
    const pairs = url.search
      .slice(1)
      .split("&")
      .filter((pair) => !pair.startsWith("X-Amz-Signature="));
    const canonical = [
      "GET",
      url.pathname,
      pairs.toSorted().join("&"),
      `host:${url.host}\n`,
      "host",
      "UNSIGNED-PAYLOAD",
    ];
    const [, scope = ""] = /^[^/]+\/(.*)$/.exec(url.searchParams.get("X-Amz-Credential") ?? "") ?? [];
    const hash = createHash("sha256").update(canonical.join("\n")).digest("hex");
    const text = ["AWS4-HMAC-SHA256", url.searchParams.get("X-Amz-Date"), scope, hash].join("\n");
    const hmac = (key: string | Buffer, data: string) => createHmac("sha256", key).update(data).digest();
    const key = scope.split("/").reduce<string | Buffer>(hmac, `AWS4${secret}`);
    return createHmac("sha256", key).update(text).digest("hex");
  }

  it.each(["app/run/artifact.dump.zst", "app/run/a b (1)*é.zst"])(
    "are signed, say how long they hold, and fetch without keys: %s",
    async (key) => {
      await using stub = await startS3Stub(({ operation }) => {
        if (operation === "HeadObject") return object(5);
        return operation === "GetObject" ? { body: "bytes" } : undefined;
      });
      const storage = storageAt(stub);
      const url = new URL((await storage.presign?.(key, 300)) ?? "");
      expect(url.searchParams.get("X-Amz-Expires")).toBe("300");
      expect(url.searchParams.get("X-Amz-Signature")).toBe(signatureOf(url, keys.secretAccessKey));
      expect(url.href).not.toContain(keys.secretAccessKey);
      expect(await (await fetch(url)).text()).toBe("bytes");
      const got = stub.of("GetObject");
      expect(got).toHaveLength(1);
      expect(got[0]?.headers).not.toHaveProperty("authorization");
      expect(decodeURIComponent(got[0]?.url.split("?", 1)[0] ?? "")).toBe(`/backups/prod/${key}`);
      await storage.close();
    },
  );

  it("are not made for what is not there, nor for what can not be read", async () => {
    await using stub = await startS3Stub(({ operation, url }) =>
      operation === "HeadObject" && url.includes("cold") ? object(5, { "x-amz-storage-class": "GLACIER" }) : undefined,
    );
    const storage = storageAt(stub);
    await expect(storage.presign?.("app/none", 60)).rejects.toMatchObject({ code: "not-found" });
    await expect(storage.presign?.("app/cold", 60)).rejects.toMatchObject({ text: { key: "error-s3-archived" } });
    await storage.close();
  });

  it("hold a week at most", async () => {
    const requests = createS3Requests({ region: "eu-central-1", forcePathStyle: false, ...keys });
    const address = { Bucket: "backups", Key: "a" };
    expect(await requests.presign(address, 604_800)).toContain("https://backups.s3.eu-central-1.amazonaws.com/a?");
    await expect(requests.presign(address, 604_801)).rejects.toThrow("one week");
    requests.close();
  });
});

describe("what the server refuses", () => {
  const archived = s3Refusal(403, "InvalidObjectState", "told", "<StorageClass>DEEP_ARCHIVE</StorageClass>");
  const cases: [string, StubAnswer, string, (storage: Storage) => Promise<unknown>][] = [
    ["an archived object", archived, "archived", (storage) => storage.read("app/part")],
    [
      "a locked object",
      s3Refusal(403, "AccessDenied", "Access Denied because object protected by object lock."),
      "locked",
      (storage) => storage.delete(["app/part"]),
    ],
    [
      "a locked object of a MinIO",
      s3Refusal(400, "InvalidRequest", "Object is WORM protected and cannot be overwritten"),
      "locked",
      (storage) => storage.delete(["app/part"]),
    ],
    ["a class", s3Refusal(400, "InvalidStorageClass"), "class", (storage) => write(storage, "p", Buffer.from("x"))],
    ["a KMS key", s3Refusal(400, "KMS.NotFoundException"), "kms", (storage) => write(storage, "p", Buffer.from("x"))],
    [
      "the right to a KMS key",
      s3Refusal(403, "AccessDenied", "User is not authorized to perform: kms:GenerateDataKey"),
      "kms",
      (storage) => write(storage, "p", Buffer.from("x")),
    ],
    [
      "a lock without one on the bucket",
      s3Refusal(400, "InvalidRequest", "Bucket is missing Object Lock Configuration"),
      "no-lock",
      (storage) => write(storage, "p", Buffer.from("x")),
    ],
    ["keys that have ended", s3Refusal(400, "ExpiredToken"), "keys", (storage) => storage.delete(["app/part"])],
  ];
  it.each(cases)("%s: one clear line, not repeated", async (_what, answer, key, action) => {
    await using stub = await startS3Stub(() => answer);
    const storage = storageAt(stub);
    const error = await action(storage).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({ code: "storage-refused", permanent: true, text: { key: `error-s3-${key}` } });
    expect((error as Error).message).toMatch(/^storage offsite: [^\n]+$/);
    expect(stub.requests).toHaveLength(1);
    await storage.close();
  });

  const refusals: [string, StubAnswer][] = [
    ["class", s3Refusal(400, "InvalidStorageClass")],
    ["kms", s3Refusal(400, "KMS.DisabledException")],
    ["no-lock", s3Refusal(400, "InvalidRequest", "Bucket is missing Object Lock Configuration")],
  ];
  it.each(refusals)("ends that copy only (%s), at whatever size: the others are whole", async (key, answer) => {
    await using stub = await startS3Stub(({ operation }) =>
      operation === "PutObject" || operation === "CreateMultipartUpload" ? answer : undefined,
    );
    for (const size of [1000, 6 * mebibyte]) {
      using folder = temporaryFolder();
      const good = storageOf("good", { kind: "local", path: folder.path });
      const storage = storageAt(stub);
      const onRunFailure = vi.fn<(error: unknown) => void>();
      const observer = new RecordingObserver();
      const targets = [storage, good].map((each) => new Target(each, { observer, signal, onRunFailure }));
      const bytes = randomBytes(size);
      const expected = [{ bytes: size, sha256: createHash("sha256").update(bytes).digest("hex") }];
      for (const target of targets) {
        await target.begin("app/run/part", undefined);
        await target.write(bytes);
        target.end();
        await target.commit(expected, "app/run/manifest.json");
        await target.writeManifest(Buffer.from("{}"));
        await target.settled();
      }
      expect(targets.map(({ error }) => error?.text?.key)).toEqual([`error-s3-${key}`, undefined]);
      expect(onRunFailure).not.toHaveBeenCalled();
      expect(observer.storagesLeft).toEqual([]);
      expect(filesBelow(folder.path)).toEqual(["app/run/manifest.json", "app/run/part"]);
      await storage.close();
    }
  });
});
