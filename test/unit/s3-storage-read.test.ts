import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { createS3Requests, type S3Requests } from "../../src/lib/clients/s3.ts";
import { storageSchema } from "../../src/storages/index.ts";
import { readObject } from "../../src/storages/s3/read.ts";
import type { S3Config } from "../../src/storages/s3/schema.ts";
import { targetOf } from "../../src/storages/s3/target.ts";
import type { Storage } from "../../src/storages/types.ts";
import { storageOf } from "../support/backup.ts";
import { type S3Proxy, type S3Server, startS3, startS3Proxy } from "../support/s3.ts";

const bytes = randomBytes(8_000_000);
const key = "app/artifact";
const { signal } = new AbortController();
const reset = { kind: "reset", afterBytes: 3_000_000 } as const;
const gets = { on: ["GetObject"] } as const;

let server: S3Server;
let proxy: S3Proxy;
let storage: Storage;
let config: S3Config;

beforeAll(async () => {
  server = await startS3();
  proxy = await startS3Proxy(server.endpoint);
  const { bucket, accessKeyId, secretAccessKey } = server;
  const settings = { kind: "s3", endpoint: proxy.endpoint, bucket, accessKeyId, secretAccessKey, forcePathStyle: true };
  config = storageSchema.parse(settings) as S3Config;
  storage = storageOf("offsite", settings);
  await storage.put(key, bytes, signal);
});

afterEach(async () => {
  await proxy.heal();
});

afterAll(async () => {
  await storage.close();
  await proxy.stop();
  await server.stop();
});

/** How often an object was asked for since `before` requests. */
function asked(before: number): number {
  return proxy.requests.slice(before).filter(({ operation }) => operation === "GetObject").length;
}

describe("reading an object", () => {
  it("goes on where connections break off", async () => {
    const before = proxy.requests.length;
    proxy.inject(reset, { ...gets, times: 2 });
    expect((await buffer(await storage.read(key))).equals(bytes)).toBe(true);
    expect(asked(before)).toBe(3);
  });

  it("goes on after a pause in which the connection was given up", async () => {
    const requests = createS3Requests({ ...config, idleMs: 100 });
    const bodies: Readable[] = [];
    const watched: S3Requests = {
      ...requests,
      call: async (...args) => {
        const answer = await requests.call(...args);
        const { Body } = answer as { readonly Body?: unknown };
        if (Body instanceof Readable) bodies.push(Body);
        return answer;
      },
    };
    const stream = await readObject({ ...targetOf("offsite", config), requests: watched }, key);
    await once(stream, "readable");
    const [first] = bodies;
    if (first?.destroyed === false) await new Promise((resolve) => first.once("close", resolve));
    expect((await buffer(stream)).equals(bytes)).toBe(true);
    expect(bodies.length).toBeGreaterThan(1);
    requests.close();
  });

  it("fails as the storage does where connections break off again and again", async () => {
    proxy.inject({ kind: "reset", afterBytes: 0 }, gets);
    const stream = storage.read(key).then(buffer);
    await expect(stream).rejects.toMatchObject({ code: "storage-unreachable" });
  });

  it("does not go on in another object of the same name", async () => {
    const other = "app/replaced";
    await storage.put(other, bytes, signal);
    proxy.inject(reset, { ...gets, times: 1 });
    const stream = await storage.read(other);
    await storage.put(other, randomBytes(bytes.length), signal);
    await expect(buffer(stream)).rejects.toMatchObject({ code: "storage-unreachable" });
  });

  it("ends at once, also while it waits for the server", async () => {
    await using silent = await startServer(beginning);
    const stream = await silent.storage.read(key);
    await once(stream.resume(), "data");
    stream.destroy();
    await once(stream, "close");
    expect(stream.errored).toBeNull();
  });

  it("fails with the reason for which it is called off", async () => {
    await using silent = await startServer(beginning);
    const stop = new AbortController();
    const stream = await silent.storage.read(key, stop.signal);
    const read = buffer(stream);
    await once(stream, "data");
    const reason = new Error("no longer wanted");
    stop.abort(reason);
    await expect(read).rejects.toBe(reason);
  });
});

/** The beginning of an object, and no more. */
const beginning: RequestListener = (_request, response) => {
  response.writeHead(200, { "content-length": "1000", etag: '"one"' }).write("beginning");
};

/** The same, after which the line breaks; the rest is answered by `rest`. */
const breaking =
  (rest: RequestListener): RequestListener =>
  (request, response) => {
    if (request.headers.range !== undefined) {
      rest(request, response);
      return;
    }
    beginning(request, response);
    setImmediate(() => request.socket.resetAndDestroy());
  };

const others: readonly (readonly [string, RequestListener])[] = [
  [
    "gives the rest of another object",
    (_request, response) => {
      const headers = { "content-length": "991", "content-range": "bytes 9-999/1000", etag: '"two"' };
      response.writeHead(206, headers).end("x".repeat(991));
    },
  ],
  ["gives all of it again", (_request, response) => response.writeHead(200, { etag: '"one"' }).end("x".repeat(1000))],
  ["knows no parts of objects", (_request, response) => response.writeHead(400).end()],
];

describe("an object whose line breaks", () => {
  it.each(others)("is told as a broken line where the server %s", async (_what, rest) => {
    await using server = await startServer(breaking(rest));
    const read = server.storage.read(key).then(buffer);
    await expect(read).rejects.toMatchObject({ code: "storage-unreachable", context: { s3: "Error" } });
  });
});

/** A server that answers like this, and a storage there. */
async function startServer(answer: RequestListener): Promise<{ readonly storage: Storage } & AsyncDisposable> {
  const silent = createServer(answer);
  await once(silent.listen(0, "127.0.0.1"), "listening");
  const { port } = silent.address() as AddressInfo;
  const own = storageOf("silent", { ...config, endpoint: `http://127.0.0.1:${port}` });
  return {
    storage: own,
    async [Symbol.asyncDispose]() {
      await own.close();
      silent.closeAllConnections();
      silent.close();
      await once(silent, "close");
    },
  };
}
