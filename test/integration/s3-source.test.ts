import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect, it } from "vitest";
import { verifyReadable, verifyStored } from "../../src/services/backup/verify.ts";
import { kindOf } from "../../src/sources/index.ts";
import { quiet, storageOf, temporaryFolder } from "../support/backup.ts";
import { Backups, sha256, TestBucket } from "../support/bucket.ts";
import { type S3Proxy, type S3Server, startS3, startS3Proxy } from "../support/s3.ts";

let server: S3Server;
let proxy: S3Proxy;
beforeAll(async () => {
  server = await startS3();
  proxy = await startS3Proxy(server.endpoint);
});
afterAll(async () => {
  await proxy.stop();
  await server.stop();
});

const signal = new AbortController().signal;
/** Keys of the objects that were read through the proxy since it was asked last. */
let seen = 0;
function readKeys(bucket: string): string[] {
  const fresh = proxy.requests.slice(seen);
  seen = proxy.requests.length;
  return fresh
    .filter(({ operation }) => operation === "GetObject")
    .map(({ path }) => decodeURIComponent(path.slice(`/${bucket}/`.length).split("?", 1)[0] ?? ""));
}

it("reads everything first, then only what is new or changed, and restores all of it", async () => {
  using folder = temporaryFolder();
  using bucket = await TestBucket.create(server, "photos");
  const large = randomBytes(10 * 1024 * 1024);
  await bucket.putAll({ "a/1": "one", "a/2": "two", "a/3": "three", empty: "", "folder/": "", large });
  await bucket.put("page.html", "<p>hello", { ContentType: "text/html", Metadata: { owner: "alice" } });
  const storage = storageOf("local", { kind: "local", path: folder.path });
  const backups = new Backups([storage]);
  const config = bucket.config({ endpoint: proxy.endpoint });

  const first = await backups.make(config);
  expect(readKeys("photos").sort()).toEqual(["a/1", "a/2", "a/3", "empty", "folder/", "large", "page.html"]);
  expect(first.manifest.parts.map(({ role, entries }) => [role, entries])).toEqual([
    ["artifact", 7],
    ["index", 7],
  ]);
  expect(first.manifest.source).toMatchObject({ mode: "full", full: "first", added: "7" });

  await bucket.put("a/2", "zwei");
  await bucket.put("b", "new");
  await bucket.delete("a/3");
  const second = await backups.make(config, { previous: [backups.reader(first)] });
  expect(readKeys("photos").sort()).toEqual(["a/2", "b"]);
  expect(second.manifest.source).toMatchObject({
    mode: "incremental",
    base: "run1",
    added: "1",
    changed: "1",
    unchanged: "5",
    deleted: "1",
    objects: "7",
  });
  expect(second.manifest.parts.map(({ role, entries }) => [role, entries])).toEqual([
    ["artifact", 2],
    ["index", 7],
  ]);
  const [artifact] = first.manifest.parts;
  expect(second.manifest.references).toEqual([
    {
      run: "run1",
      folder: "app/20260301T030000Z-run1/",
      file: "artifact.tar.zst",
      bytes: artifact?.bytes,
      sha256: artifact?.sha256,
    },
  ]);

  const asked = proxy.requests.length;
  const third = await backups.make(config, { previous: [backups.reader(second)] });
  expect(proxy.requests.slice(asked).map(({ operation }) => operation)).toEqual(["ListObjects", "ListObjects"]);
  expect(readKeys("photos")).toEqual([]);
  expect(third.manifest.parts.map(({ role, entries }) => [role, entries])).toEqual([["index", 7]]);
  expect(third.manifest.references.map(({ run }) => run)).toEqual(["run1", "run2"]);

  for (const { manifest } of [first, second, third]) {
    await verifyStored(storage, manifest);
    await verifyReadable(storage, manifest);
  }
  using target = await TestBucket.create(server, "photos-again");
  const to = `s3://photos-again?endpoint=${server.endpoint}`;
  const report = await kindOf("s3").restore?.(
    backups.reader(third),
    { to, signal, logger: quiet },
    sourceConfig(bucket.config()),
  );
  expect(report).toMatchObject({ compared: { objects: 7 }, differences: [], differencesTotal: 0 });
  expect(await target.contents()).toEqual(await bucket.contents());
  expect(await target.get("page.html")).toMatchObject({ ContentType: "text/html", Metadata: { owner: "alice" } });
  expect((await target.contents())["large"]).toBe(sha256(large));
});

function sourceConfig(config: object): never {
  return kindOf("s3").schema.parse(config) as never;
}
