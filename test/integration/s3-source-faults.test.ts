import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse, request as send } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { afterAll, afterEach, beforeAll, expect, it, onTestFinished, vi } from "vitest";
import type { AppError } from "../../src/core/errors.ts";
import { findTool } from "../../src/lib/environment.ts";
import { kindOf } from "../../src/sources/index.ts";
import { Bucket } from "../../src/sources/s3/bucket.ts";
import { s3SourceSchema } from "../../src/sources/s3/schema.ts";
import { filesBelow, quiet, sourceOf, storageOf, temporaryFolder } from "../support/backup.ts";
import { Backups, indexOf, sha256, TestBucket } from "../support/bucket.ts";
import { scriptIn } from "../support/fake-tools.ts";
import { type S3Proxy, type S3Server, startS3, startS3Proxy } from "../support/s3.ts";

let server: S3Server;
let proxy: S3Proxy;
beforeAll(async () => {
  server = await startS3();
  proxy = await startS3Proxy(server.endpoint);
});
afterEach(() => proxy.heal());
afterAll(async () => {
  await proxy.stop();
  await server.stop();
});
const signal = new AbortController().signal;

/** Something that happens right before a request is passed on, or instead of it. */
type Hook = (incoming: IncomingMessage, response: ServerResponse) => Promise<boolean> | boolean;

/** A server before the bucket's own: `hook` is called for each request, and answers it by itself when it gives true. */
async function before(hook: Hook): Promise<{ readonly endpoint: string } & AsyncDisposable> {
  const pass = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (await hook(incoming, response)) return;
    const { method, url, headers } = incoming;
    const outgoing = send(`${server.endpoint}${url}`, { method, headers });
    incoming.pipe(outgoing);
    const [answer] = (await once(outgoing, "response")) as [IncomingMessage];
    response.writeHead(answer.statusCode ?? 500, answer.headers);
    answer.pipe(response);
  };
  const front: Server = createServer((incoming, response) => {
    pass(incoming, response).catch(() => response.destroy());
  });
  front.listen(0, "127.0.0.1");
  await once(front, "listening");
  return {
    endpoint: `http://127.0.0.1:${(front.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      front.closeAllConnections();
      front.close();
      await once(front, "close");
    },
  };
}

const isGet = ({ method, url }: IncomingMessage, key: string): boolean =>
  method === "GET" && new URL(url ?? "", "http://x").pathname.endsWith(`/${key}`);

async function failureOf(action: Promise<unknown>): Promise<AppError> {
  const error: unknown = await action.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toMatchObject({ name: "AppError" });
  return error as AppError;
}

let count = 0;
async function world(objects: Record<string, string | Buffer>) {
  const folder = temporaryFolder();
  count += 1;
  const bucket = await TestBucket.create(server, `faults-${count}`);
  await bucket.putAll(objects);
  const storage = storageOf("local", { kind: "local", path: folder.path });
  return {
    bucket,
    storage,
    folder: folder.path,
    backups: new Backups([storage]),
    [Symbol.dispose]() {
      bucket[Symbol.dispose]();
      folder[Symbol.dispose]();
    },
  };
}

it("leaves out what vanishes between listing and reading, and names it", async () => {
  using one = await world({ a: "1", gone: "2", z: "3" });
  await using front = await before(async (incoming) => {
    if (isGet(incoming, "gone")) await one.bucket.delete("gone");
    return false;
  });
  const { manifest } = await one.backups.make(one.bucket.config({ endpoint: front.endpoint }));
  expect(manifest).toMatchObject({ notes: [{ kind: "vanished", name: "gone" }], notesTotal: 1 });
  expect(manifest.parts.map(({ entries }) => entries)).toEqual([2, 2]);
});

it("counts what vanishes so as deleted, where the backup before has it", async () => {
  using one = await world({ a: "1", gone: "2" });
  const first = await one.backups.make(one.bucket.config());
  await one.bucket.put("gone", "new");
  await using front = await before(async (incoming) => {
    if (isGet(incoming, "gone")) await one.bucket.delete("gone");
    return false;
  });
  // Another endpoint is another bucket: that it is the same is said here.
  const reader = one.backups.reader(first);
  const source = { ...reader.manifest.source, endpoint: front.endpoint };
  const previous = [{ ...reader, manifest: { ...reader.manifest, source } }];
  const { manifest } = await one.backups.make(one.bucket.config({ endpoint: front.endpoint }), { previous });
  expect(manifest).toMatchObject({
    notes: [{ kind: "vanished", name: "gone" }],
    source: { deleted: "1", objects: "1" },
  });
});

it("takes the new version of what is replaced between listing and reading, names it, and need not read it again", async () => {
  using one = await world({ a: "1", busy: "old" });
  await using front = await before(async (incoming) => {
    if (isGet(incoming, "busy") && (await one.bucket.get("busy")).bytes.toString() === "old")
      await one.bucket.put("busy", "newer");
    return false;
  });
  const config = one.bucket.config({ endpoint: front.endpoint });
  const first = await one.backups.make(config);
  expect(first.manifest.notes).toEqual([{ kind: "changed", name: "busy" }]);
  const [, busy] = await indexOf(one.backups.reader(first));
  expect(busy).toMatchObject({ key: "busy", size: 5 });
  const second = await one.backups.make(config, { previous: [one.backups.reader(first)] });
  expect(second.manifest.source).toMatchObject({ unchanged: "2", changed: "0" });
  expect(second.manifest.notes).toBeUndefined();
});

it("begins a large object anew that is replaced while it is read, and points at the whole one", async () => {
  const [old, fresh] = [randomBytes(6_000_000), randomBytes(5_000_000)];
  using one = await world({ a: "1", large: old, z: "3" });
  let broken = 0;
  await using front = await before(async (incoming, response) => {
    if (!isGet(incoming, "large") || broken > 0) return false;
    broken += 1;
    // Half of the old one, and then the connection is gone, and the object too.
    const { ETag } = await one.bucket.get("large");
    await one.bucket.put("large", fresh);
    response.writeHead(200, {
      etag: ETag ?? "",
      "content-length": old.length,
      "last-modified": new Date().toUTCString(),
    });
    response.write(old.subarray(0, 3_000_000), () => response.destroy());
    return true;
  });
  const result = await one.backups.make(one.bucket.config({ endpoint: front.endpoint }));
  expect(result.manifest.notes).toEqual([{ kind: "changed", name: "large" }]);
  // Four files in the archive, of which one was given up.
  expect(result.manifest.parts.map(({ entries }) => entries)).toEqual([4, 3]);
  using target = await TestBucket.create(server, `faults-${count}-again`);
  const to = `s3://${target.name}?endpoint=${server.endpoint}`;
  const config = kindOf("s3").schema.parse(one.bucket.config()) as never;
  const report = await kindOf("s3").restore?.(one.backups.reader(result), { to, signal, logger: quiet }, config);
  expect(report).toMatchObject({ compared: { objects: 3 }, differencesTotal: 0 });
  expect((await target.get("large")).bytes.equals(fresh)).toBe(true);
});

it("does not go on with another version where the server takes no heed of conditions", async () => {
  const [old, fresh] = [randomBytes(3_000_000), randomBytes(3_000_000)];
  using one = await world({ large: old });
  let broken = false;
  await using front = await before(async (incoming, response) => {
    delete incoming.headers["if-match"];
    if (!isGet(incoming, "large") || broken) return false;
    broken = true;
    const { ETag } = await one.bucket.get("large");
    await one.bucket.put("large", fresh);
    response.writeHead(200, { etag: ETag ?? "", "content-length": old.length });
    response.write(old.subarray(0, 1_000_000), () => response.destroy());
    return true;
  });
  const result = await one.backups.make(one.bucket.config({ endpoint: front.endpoint }));
  expect(result.manifest.notes).toEqual([{ kind: "changed", name: "large" }]);
  expect((await indexOf(one.backups.reader(result)))[0]).toMatchObject({ entry: 1, sha256: sha256(fresh) });
});

it("goes on where a connection broke off, with the same version", async () => {
  const large = randomBytes(5_000_000);
  using one = await world({ large, small: "1" });
  proxy.inject({ kind: "reset", afterBytes: 1_000_000 }, { on: ["GetObject"], path: /large/, times: 3 });
  proxy.inject({ kind: "reset", afterBytes: 0 }, { on: ["GetObject"], path: /small/, times: 2 });
  const seen = proxy.requests.length;
  const result = await one.backups.make(one.bucket.config({ endpoint: proxy.endpoint }));
  expect(result.manifest.notes).toBeUndefined();
  const gets = proxy.requests
    .slice(seen)
    .filter(({ operation, path }) => operation === "GetObject" && /large/.test(path));
  expect(gets.map(({ status }) => status)).toContain(206);
  const report = await kindOf("s3").testRestore?.(one.backups.reader(result), scratch(one.folder));
  expect(report).toMatchObject({ compared: { objects: 2, bytes: 5_000_001 }, differencesTotal: 0 });
});

it("gives up when a connection breaks off again and again, and leaves nothing behind", async () => {
  using one = await world({ large: randomBytes(3_000_000) });
  proxy.inject({ kind: "reset", afterBytes: 0 }, { on: ["GetObject"] });
  const error = await failureOf(one.backups.make(one.bucket.config({ endpoint: proxy.endpoint })));
  expect(error).toMatchObject({ code: "source-unreachable", permanent: false });
  expect(filesBelow(one.folder)).toEqual([]);
});

it("asks again for a page of the list that failed", async () => {
  using one = await world({ a: "1" });
  proxy.inject({ kind: "slow-down" }, { on: ["ListObjects"], times: 2 });
  const { manifest } = await one.backups.make(one.bucket.config({ endpoint: proxy.endpoint }));
  expect(manifest.parts.map(({ entries }) => entries)).toEqual([1, 1]);
});

it("names the object that it may not read", async () => {
  using one = await world({ a: "1", "secret/plans": "2" });
  await using front = await before((incoming, response) => {
    if (!isGet(incoming, "secret/plans")) return false;
    response.writeHead(403, { "content-type": "application/xml" });
    response.end("<Error><Code>AccessDenied</Code><Message>no</Message></Error>");
    return true;
  });
  const error = await failureOf(one.backups.make(one.bucket.config({ endpoint: front.endpoint })));
  expect(error).toMatchObject({
    code: "source-refused",
    permanent: true,
    text: { key: "error-source-s3-object", args: { object: "secret/plans" } },
  });
  expect(filesBelow(one.folder)).toEqual([]);
});

it("refuses a list that is not in the order of keys", async () => {
  using one = await world({ a: "1" });
  const object = (key: string) => `<Contents><Key>${key}</Key><Size>1</Size><ETag>"x"</ETag></Contents>`;
  await using front = await before((incoming, response) => {
    if (!incoming.url?.includes("list-type=2")) return false;
    response.writeHead(200, { "content-type": "application/xml" });
    response.end(`<ListBucketResult>${object("b")}${object("a")}</ListBucketResult>`);
    return true;
  });
  const error = await failureOf(one.backups.make(one.bucket.config({ endpoint: front.endpoint })));
  expect(error).toMatchObject({ code: "source-failed", text: { key: "error-source-s3-odd" } });
});

it("refuses a bucket that is not there, and one without objects unless told", async () => {
  using one = await world({});
  const missing = await failureOf(sourceOf({ ...one.bucket.config(), bucket: "nowhere" }).inspect(signal));
  expect(missing).toMatchObject({ code: "source-refused", text: { key: "error-source-s3-no-bucket" } });
  const empty = await failureOf(one.backups.make(one.bucket.config()));
  expect(empty).toMatchObject({ code: "source-failed", text: { key: "error-source-s3-empty" } });
  const { manifest } = await one.backups.make(one.bucket.config({ allowEmpty: true }));
  expect(manifest.parts.map(({ role, entries }) => [role, entries])).toEqual([["index", 0]]);
});

it("leaves out what is excluded", async () => {
  using one = await world({ "in/cache/a": "1", "in/b": "2", "in/c.tmp": "3", "out/d": "4" });
  const { manifest, ...rest } = await one.backups.make(
    one.bucket.config({ prefix: "in", exclude: ["cache/*", "*.tmp"] }),
  );
  expect((await indexOf(one.backups.reader({ manifest, ...rest }))).map(({ key }) => key)).toEqual(["in/b"]);
});

it("asks for the headers of what was written again with the same content, and for nothing else of it", async () => {
  using one = await world({ a: "1", b: "2" });
  const config = one.bucket.config({ endpoint: proxy.endpoint });
  const first = await one.backups.make(config);
  await one.bucket.put("a", "1", { ContentType: "text/x-new", Metadata: { owner: "bob" } });
  const seen = proxy.requests.length;
  const second = await one.backups.make(config, { previous: [one.backups.reader(first)] });
  const operations = proxy.requests.slice(seen).map(({ operation }) => operation);
  expect(operations).not.toContain("GetObject");
  expect(operations.filter((operation) => operation === "HeadObject")).toHaveLength(1);
  expect((await indexOf(one.backups.reader(second)))[0]).toMatchObject({
    key: "a",
    type: "text/x-new",
    metadata: { owner: "bob" },
    in: "run1",
  });
});

it("fails when the compressor is killed or fails, with its own words", async () => {
  using one = await world({ large: randomBytes(8_000_000) });
  using bin = temporaryFolder();
  const zstd = findTool("zstd") ?? "";
  vi.stubEnv("PATH", `${bin.path}:${process.env["PATH"]}`);
  for (const [script, exit] of [
    [`${zstd} "$@"; echo "disk on fire" >&2; exit 1`, "exit status 1"],
    [`head -c 100000 | ${zstd} -c; kill -9 $$`, "killed by SIGKILL"],
  ] as const) {
    scriptIn(bin.path, "zstd", script);
    const error = await failureOf(one.backups.make(one.bucket.config()));
    expect(error.context).toMatchObject({ step: "zstd", exit });
    expect(filesBelow(one.folder)).toEqual([]);
  }
});

it("fails when the compressor is not there any more while an object is read", async () => {
  using one = await world({ a: "1" });
  using bin = temporaryFolder();
  await using front = await before((incoming) => {
    if (isGet(incoming, "a")) vi.stubEnv("PATH", bin.path);
    return false;
  });
  const error = await failureOf(one.backups.make(one.bucket.config({ endpoint: front.endpoint })));
  expect(error).toMatchObject({ code: "tool-missing", context: { tool: "zstd" } });
  expect(filesBelow(one.folder)).toEqual([]);
});

it("does not go on with an object that comes without its length, and leaves its connection", async () => {
  using one = await world({ a: "1" });
  const answers: ServerResponse[] = [];
  await using front = await before((incoming, response) => {
    if (!isGet(incoming, "a")) return false;
    answers.push(response);
    response.writeHead(200, { etag: '"x"' }).write("the beginning");
    return true;
  });
  const bucket = new Bucket(s3SourceSchema.parse(one.bucket.config({ endpoint: front.endpoint })));
  onTestFinished(() => bucket.requests.close());
  await expect(bucket.get("a", { signal })).rejects.toMatchObject({
    text: { key: "error-source-s3-odd", args: { what: "an object without its length" } },
  });
  await vi.waitFor(() => expect(answers.map(({ closed }) => closed)).toEqual([true]), 10_000);
});

it("ends when it is aborted, with the reason", async () => {
  using one = await world({ large: randomBytes(5_000_000) });
  proxy.inject({ kind: "stall" }, { on: ["GetObject"] });
  const controller = new AbortController();
  const making = failureOf(
    one.backups.make(one.bucket.config({ endpoint: proxy.endpoint }), undefined, { signal: controller.signal }),
  );
  await vi.waitFor(() => expect(proxy.requests.some(({ operation }) => operation === "GetObject")).toBe(true));
  controller.abort(new Error("stop now"));
  expect(await making).toMatchObject({ message: "stop now" });
  expect(filesBelow(one.folder)).toEqual([]);
});

function scratch(folder: string) {
  return { folder, id: "x", signal, logger: quiet };
}

it("gives an index whose stream can be read as it is", async () => {
  using one = await world({ a: "1" });
  await using session = await sourceOf(one.bucket.config()).open(signal);
  const parts: string[] = [];
  for await (const part of session.parts()) {
    const bytes = await buffer(part.stream);
    const facts = await part.done;
    parts.push(`${part.role} ${facts.entries}`);
    expect(bytes.length).toBeGreaterThan(0);
  }
  expect(parts).toEqual(["artifact 1", "index 1"]);
});
