import { createHash } from "node:crypto";
import { expect, it } from "vitest";
import { createS3Requests } from "../../src/lib/clients/s3.ts";
import { startS3Stub } from "../support/s3-stub.ts";

const text = 'attachment; filename="от ü.txt"';
/** As Node gives the bytes of a header. */
const received = (value: string): string => Buffer.from(value).toString("latin1");

it.each(["", "with content"])("gives a server the bytes of a header that it has given: %j", async (content) => {
  await using stub = await startS3Stub(({ operation }) =>
    operation === "HeadObject"
      ? { headers: { "content-disposition": received(text), "x-amz-meta-a": received(text) } }
      : undefined,
  );
  const keys = { accessKeyId: "AAAAAAAA", secretAccessKey: "bbbbbbbbbbbb" };
  const s3 = createS3Requests({ endpoint: stub.endpoint, region: "here", forcePathStyle: true, ...keys });
  const address = { Bucket: "b", Key: "k" };
  const { ContentDisposition, Metadata } = await s3.call((client) => client.headObject(address));
  const Body = Buffer.from(content);
  const ContentMD5 = createHash("md5").update(Body).digest("base64");
  const input = { ...address, ContentDisposition, Metadata, Body, ContentLength: Body.length, ContentMD5 };
  await s3.call((client) => client.putObject(input));
  s3.close();
  const [put] = stub.of("PutObject");
  expect(put?.headers).toMatchObject({ "content-disposition": received(text), "x-amz-meta-a": received(text) });
  expect(put?.headers["content-length"]).toBe(String(Body.length));
  expect(put?.signed).toContain("content-disposition");
  expect(put?.body.toString()).toBe(content);
});
