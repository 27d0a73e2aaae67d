import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { request } from "node:http";
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { type S3Proxy, type S3Server, startS3, startS3Proxy } from "../../support/s3.ts";

let server: S3Server;
let proxy: S3Proxy;
let s3: S3Client;
const partBytes = 5 * 1024 * 1024;

beforeAll(async () => {
  server = await startS3({ bucket: "vault" });
  proxy = await startS3Proxy(server.endpoint);
  const { accessKeyId, secretAccessKey, region } = server;
  s3 = new S3Client({
    endpoint: proxy.endpoint,
    region,
    credentials: { accessKeyId, secretAccessKey },
    forcePathStyle: true,
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    maxAttempts: 1,
  });
});

afterEach(() => proxy.heal());

afterAll(async () => {
  s3?.destroy();
  await proxy?.stop();
  await server?.stop();
});

const put = (Key: string, Body: Uint8Array) => s3.send(new PutObjectCommand({ Bucket: "vault", Key, Body }));

async function get(Key: string): Promise<Uint8Array> {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: "vault", Key }));
  return (await Body?.transformToByteArray()) ?? new Uint8Array();
}

async function begin(Key: string): Promise<{ Bucket: string; Key: string; UploadId: string }> {
  const { UploadId = "" } = await s3.send(new CreateMultipartUploadCommand({ Bucket: "vault", Key }));
  return { Bucket: "vault", Key, UploadId };
}

async function upload(Key: string, parts: readonly Uint8Array[]) {
  const target = await begin(Key);
  const Parts: CompletedPart[] = [];
  for (const [index, Body] of parts.entries()) {
    const PartNumber = index + 1;
    const { ETag } = await s3.send(new UploadPartCommand({ ...target, PartNumber, Body }));
    Parts.push({ ETag, PartNumber });
  }
  await s3.send(new CompleteMultipartUploadCommand({ ...target, MultipartUpload: { Parts } }));
}

test("objects and multipart uploads pass unchanged, and survive a kill", async () => {
  const parts = [randomBytes(partBytes), randomBytes(1234)];
  await upload("dumps/a b/ö.zst", parts);
  await server.kill();
  await expect(put("x", new Uint8Array(1))).rejects.toThrow(/ECONNRESET|socket hang up/);
  await server.restart();
  expect(Buffer.compare(await get("dumps/a b/ö.zst"), Buffer.concat(parts))).toBe(0);
  expect(server.openUploads()).toEqual([]);
});

test("open multipart uploads are listed until they are aborted", async () => {
  const one = await begin("dumps/one & <only>");
  await begin("other/two");
  const { Uploads = [] } = await s3.send(new ListMultipartUploadsCommand({ Bucket: "vault", Prefix: "dumps/" }));
  expect(Uploads.map(({ Key, UploadId }) => ({ Key, UploadId }))).toEqual([{ Key: one.Key, UploadId: one.UploadId }]);
  expect(Uploads[0]?.Initiated).toBeInstanceOf(Date);
  expect(
    server
      .openUploads()
      .map(({ key }) => key)
      .sort(),
  ).toEqual(["dumps/one & <only>", "other/two"]);
  await s3.send(new AbortMultipartUploadCommand(one));
  expect(server.openUploads().map(({ key }) => key)).toEqual(["other/two"]);
});

test("a closed port refuses, an open one accepts again", async () => {
  await proxy.refuse();
  await expect(put("refused", new Uint8Array(1))).rejects.toThrow(/ECONNREFUSED|ECONNRESET|socket hang up/);
  await proxy.accept();
  await put("refused", new Uint8Array(1));
  expect(await get("refused")).toHaveLength(1);
});

test("SlowDown is answered as often as told, for the operations told", async () => {
  proxy.inject({ kind: "slow-down" }, { times: 2, on: ["PutObject"] });
  await expect(put("busy", new Uint8Array(1))).rejects.toMatchObject({ name: "SlowDown" });
  await expect(s3.send(new HeadObjectCommand({ Bucket: "vault", Key: "busy" }))).rejects.toMatchObject({
    name: "NotFound",
  });
  await expect(put("busy", new Uint8Array(1))).rejects.toMatchObject({ name: "SlowDown" });
  await put("busy", new Uint8Array(1));
  expect(proxy.requests.filter(({ path }) => path.startsWith("/vault/busy")).map(({ status }) => status)).toEqual([
    503, 404, 503, 200,
  ]);
});

test("a reset in the middle of a request leaves no object", async () => {
  proxy.inject({ kind: "reset", afterBytes: 100_000 }, { times: 1 });
  await expect(put("cut", randomBytes(1_000_000))).rejects.toThrow(/ECONNRESET|EPIPE|socket hang up/);
  await expect(get("cut")).rejects.toMatchObject({ name: "NoSuchKey" });
});

test("a reset in the middle of an answer reaches the reader", async () => {
  await put("whole", randomBytes(1_000_000));
  proxy.inject({ kind: "reset", afterBytes: 100_000 }, { on: ["GetObject"] });
  await expect(get("whole")).rejects.toThrow(/ECONNRESET|aborted/);
});

test("a slow store takes the time that its speed means", async () => {
  const remove = proxy.inject({ kind: "slow", bytesPerSecond: 1_000_000 });
  const begun = performance.now();
  await put("slow", randomBytes(300_000));
  expect(performance.now() - begun).toBeGreaterThan(250);
  remove();
});

test("a lost part is found out at completion", async () => {
  proxy.inject({ kind: "lose" }, { times: 1 });
  await expect(upload("lost", [randomBytes(partBytes), randomBytes(10)])).rejects.toMatchObject({
    name: "InvalidPart",
  });
});

test("a store that hides the loss completes a shorter object", async () => {
  proxy.inject({ kind: "lose", hidden: true }, { times: 1 });
  await upload("hidden", [randomBytes(partBytes), randomBytes(10)]);
  const { ContentLength } = await s3.send(new HeadObjectCommand({ Bucket: "vault", Key: "hidden" }));
  expect(ContentLength).toBe(10);
});

test("a stalled request is left without an answer until it is given up", async () => {
  proxy.inject({ kind: "stall" }, { times: 1 });
  const stalled = request(`${proxy.endpoint}/vault/stalled`, { method: "HEAD" });
  const arrived = proxy.requests.length;
  stalled.end();
  await expect.poll(() => proxy.requests.length).toBe(arrived + 1);
  stalled.destroy(new Error("given up"));
  await expect(once(stalled, "response")).rejects.toThrow("given up");
  expect(proxy.requests.at(-1)?.status).toBeUndefined();
});
