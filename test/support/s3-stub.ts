import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { operationOf, type S3Operation } from "../../src/sandbox/servers/s3-operations.ts";

/** A request as it arrived, whole. */
export interface StubRequest {
  readonly operation: S3Operation | "CopyObject" | "UploadPartCopy";
  readonly method: string;
  /** Path and query, as sent. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** Names of the headers that the signature covers. */
  readonly signed: readonly string[];
}

export interface StubAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

/** Answers a request; undefined: as a server that has no objects and takes everything. */
export type Script = (request: StubRequest) => StubAnswer | undefined | Promise<StubAnswer | undefined>;

export interface S3Stub extends AsyncDisposable {
  readonly endpoint: string;
  readonly port: number;
  readonly requests: readonly StubRequest[];
  /** The requests of one operation. */
  of(operation: StubRequest["operation"]): StubRequest[];
}

/** An error as S3 servers write it. */
export function s3Refusal(status: number, code: string, message = "told", more = ""): StubAnswer {
  return { status, body: `<Error><Code>${code}</Code><Message>${message}</Message>${more}</Error>` };
}

/** A path-style HTTP server that keeps every request and answers by a script: for what no private server can do. */
export async function startS3Stub(script: Script = () => undefined): Promise<S3Stub> {
  const requests: StubRequest[] = [];
  const sizes = new Map<string, { bytes: number; etag: string }>();

  const usual = ({ operation, url, body }: StubRequest): StubAnswer => {
    const path = url.split("?", 1)[0] ?? "";
    const etag = `"${createHash("md5").update(body).digest("hex")}"`;
    const known = sizes.get(path);
    switch (operation) {
      case "PutObject":
        sizes.set(path, { bytes: body.length, etag });
        return { headers: { etag } };
      case "UploadPart":
        sizes.set(path, { bytes: (known?.bytes ?? 0) + body.length, etag: '"parts-1"' });
        return { headers: { etag } };
      case "HeadObject":
        return known ? { headers: { "content-length": `${known.bytes}`, etag: known.etag } } : { status: 404 };
      case "CreateMultipartUpload":
        return { body: "<InitiateMultipartUploadResult><UploadId>one</UploadId></InitiateMultipartUploadResult>" };
      case "CompleteMultipartUpload":
        return { body: "<CompleteMultipartUploadResult></CompleteMultipartUploadResult>" };
      case "CopyObject":
        return { body: '<CopyObjectResult><ETag>"copied"</ETag></CopyObjectResult>' };
      case "UploadPartCopy":
        return { body: '<CopyPartResult><ETag>"part"</ETag></CopyPartResult>' };
      case "ListMultipartUploads":
        return { body: "<ListMultipartUploadsResult></ListMultipartUploadsResult>" };
      case "ListObjects":
        return { body: "<ListBucketResult></ListBucketResult>" };
      default:
        return { status: operation === "GetObject" ? 404 : 204 };
    }
  };

  const answer = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const headers = incoming.headers as Record<string, string>;
    const { operation: plain } = operationOf(incoming);
    const copies = { PutObject: "CopyObject", UploadPart: "UploadPartCopy" } as const;
    const operation = "x-amz-copy-source" in headers && plain in copies ? copies[plain as keyof typeof copies] : plain;
    const [, names = ""] = /SignedHeaders=([^,]+)/.exec(headers["authorization"] ?? "") ?? [];
    const request: StubRequest = {
      operation,
      method: incoming.method ?? "",
      url: incoming.url ?? "",
      headers,
      body: Buffer.concat(chunks),
      signed: names.split(";"),
    };
    requests.push(request);
    const { status = 200, headers: told, body } = (await script(request)) ?? usual(request);
    response.writeHead(status, { "content-type": "application/xml", ...told });
    response.end(incoming.method === "HEAD" ? undefined : body);
  };
  const server = createServer((incoming, response) => {
    // What breaks here shows as a broken connection there.
    answer(incoming, response).catch(() => response.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    port,
    requests,
    of: (operation) => requests.filter((request) => request.operation === operation),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
