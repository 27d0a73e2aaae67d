import { describe, expect, it } from "vitest";
import { AppError } from "../../src/core/errors.ts";
import { describeStorage } from "../../src/storages/index.ts";
import { parseStorageUrl } from "../../src/storages/url.ts";

const keys = { AWS_ACCESS_KEY_ID: "KEYID", AWS_SECRET_ACCESS_KEY: "secret-access-key" };

function failureOf(text: string): AppError {
  try {
    parseStorageUrl(text, {});
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error(`${text} was taken`);
}

describe("the address of a storage", () => {
  it("names a bucket, with keys from the environment", () => {
    const config = parseStorageUrl("s3://backups/prod/a%2Bb/", keys);
    expect(config).toMatchObject({
      kind: "s3",
      bucket: "backups",
      accessKeyId: "KEYID",
      secretAccessKey: "secret-access-key",
      region: "us-east-1",
      forcePathStyle: false,
      prefix: "prod/a+b/",
    });
    expect(config).not.toHaveProperty("endpoint");
    expect(config).not.toHaveProperty("sessionToken");
  });

  it("says where the server is; with an endpoint the bucket is in the path", () => {
    const text = "s3://backups/prod/shop?endpoint=https://s3.twcstorage.ru&region=ru-1";
    const config = parseStorageUrl(text, { ...keys, AWS_REGION: "eu-central-1" });
    const expected = {
      endpoint: "https://s3.twcstorage.ru",
      region: "ru-1",
      forcePathStyle: true,
      prefix: "prod/shop/",
    };
    expect(config).toMatchObject(expected);
    expect(describeStorage(config)).toBe("s3://backups/prod/shop");
    expect(parseStorageUrl(`${text}&pathStyle=false`, keys)).toMatchObject({ forcePathStyle: false });
  });

  it("takes the rest from the environment, as AWS tools do", () => {
    const env = {
      ...keys,
      AWS_SESSION_TOKEN: "token",
      AWS_DEFAULT_REGION: "ru-1",
      AWS_ENDPOINT_URL_S3: "http://h:9000",
    };
    expect(parseStorageUrl("s3://backups", env)).toMatchObject({
      sessionToken: "token",
      region: "ru-1",
      endpoint: "http://h:9000",
      prefix: "",
    });
    const none = parseStorageUrl("s3://backups", {});
    for (const key of ["accessKeyId", "secretAccessKey", "sessionToken"]) expect(none).not.toHaveProperty(key);
  });

  it("names a folder", () => {
    expect(parseStorageUrl("file:///var/backups/a%20b", {})).toEqual({ kind: "local", path: "/var/backups/a b" });
  });

  it.each([
    ["/var/backups", "error-storage-url"],
    ["s3://", "error-storage-url"],
    ["file://host/path", "error-storage-url"],
    ["https://s3.example.org/backups", "error-storage-url"],
    ["s3://backups/a b", "error-storage-url-value"],
    ["s3://backups?acl=public", "error-storage-url-option"],
    ["s3://backups?endpoint=s3.example.org", "error-storage-url-value"],
    ["s3://backups?pathStyle=perhaps", "error-storage-url-value"],
  ])("refuses %s", (text, key) => {
    expect(failureOf(text)).toMatchObject({ code: "config", text: { key } });
  });

  it("refuses keys, without repeating them", () => {
    const error = failureOf("s3://KEYID:very-secret@backups/prod");
    expect(error.text).toEqual({ key: "error-storage-url-keys" });
    expect(JSON.stringify([error.message, error.text, error.context])).not.toContain("very-secret");
  });
});
