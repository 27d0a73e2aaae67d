import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";

export interface MemoryObject {
  readonly body: Buffer;
  readonly etag: string;
  readonly modified: Date;
  /** Content type and metadata, as they were sent. */
  readonly headers: Readonly<Record<string, string>>;
}

/** One bucket in memory that takes every key S3 takes: `..`, `//`, control characters, a thousand bytes. */
export interface MemoryS3 extends AsyncDisposable {
  readonly endpoint: string;
  readonly objects: Map<string, MemoryObject>;
  /** `GET key`, `LIST`, in the order of their arrival. */
  readonly requests: string[];
  put(key: string, body: string | Buffer, headers?: Record<string, string>): void;
}

/** When every object was written, by the server. */
export const memoryDate = new Date(1_780_000_000_000);

/** Key and content of one of many objects; the keys are in their order. */
export const keyOf = (number: number): string => `object-${String(number).padStart(9, "0")}`;
export const contentOf = (number: number): string => `content of ${number}`;

const notFound = "<Error><Code>NoSuchKey</Code><Message>none</Message></Error>";

export async function startMemoryS3(options: { readonly pageSize?: number } = {}): Promise<MemoryS3> {
  const objects = new Map<string, MemoryObject>();
  const requests: string[] = [];
  let sorted: string[] | undefined;

  const put: MemoryS3["put"] = (key, text, headers = {}) => {
    const body = Buffer.from(text);
    const etag = `"${createHash("md5").update(body).digest("hex")}"`;
    objects.set(key, { body, etag, modified: memoryDate, headers });
    sorted = undefined;
  };
  const list = (query: URLSearchParams): string => {
    if (sorted?.length !== objects.size) sorted = undefined;
    sorted ??= [...objects.keys()].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    const prefix = query.get("prefix") ?? "";
    const all = prefix === "" ? sorted : sorted.filter((key) => key.startsWith(prefix));
    const from = Number(query.get("continuation-token") ?? 0);
    const to = from + Math.min(options.pageSize ?? 1000, Number(query.get("max-keys") ?? 1000));
    const contents = all.slice(from, to).map((key) => {
      const { body, etag, modified } = objects.get(key) as MemoryObject;
      const shown = encodeURIComponent(key).replaceAll("%20", "+").replaceAll("'", "%27");
      return `<Contents><Key>${shown}</Key><Size>${body.length}</Size><ETag>&quot;${etag.slice(1, -1)}&quot;</ETag><LastModified>${modified.toISOString()}</LastModified></Contents>`;
    });
    const more =
      to < all.length ? `<IsTruncated>true</IsTruncated><NextContinuationToken>${to}</NextContinuationToken>` : "";
    return `<ListBucketResult><EncodingType>url</EncodingType>${more}${contents.join("")}</ListBucketResult>`;
  };
  const answer = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    // Not by `URL`, which resolves "..".
    const [path = "", query = ""] = (incoming.url ?? "").split("?", 2);
    const slash = path.indexOf("/", 1);
    const key = slash === -1 ? "" : decodeURIComponent(path.slice(slash + 1));
    const { method = "", headers } = incoming;
    const body = await buffer(incoming);
    if (key === "") {
      requests.push("LIST");
      response.writeHead(200, { "content-type": "application/xml" }).end(list(new URLSearchParams(query)));
      return;
    }
    requests.push(`${method} ${key}`);
    if (method === "PUT") {
      const kept = Object.entries(headers).filter(
        ([name]) => ["content-type", "content-disposition", "expires"].includes(name) || name.startsWith("x-amz-meta-"),
      );
      put(key, body, Object.fromEntries(kept) as Record<string, string>);
      response.writeHead(200, { etag: objects.get(key)?.etag }).end();
      return;
    }
    const object = objects.get(key);
    if (object === undefined) response.writeHead(404, { "content-type": "application/xml" }).end(notFound);
    else if (headers["if-match"] !== undefined && headers["if-match"] !== object.etag) response.writeHead(412).end();
    else
      response
        .writeHead(200, {
          ...object.headers,
          etag: object.etag,
          "content-length": object.body.length,
          "last-modified": object.modified.toUTCString(),
        })
        .end(method === "HEAD" ? undefined : object.body);
  };
  const server = createServer((incoming, response) => {
    answer(incoming, response).catch(() => response.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    objects,
    requests,
    put,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** The source's configuration for such a bucket. */
export function memoryConfig({ endpoint }: Pick<MemoryS3, "endpoint">, more: object = {}): Record<string, unknown> {
  const keys = { accessKeyId: "key", secretAccessKey: "secret-of-memory" };
  return { kind: "s3", endpoint, bucket: "memory", forcePathStyle: true, ...keys, ...more };
}
