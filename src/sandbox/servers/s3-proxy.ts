import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, request as openRequest, type ServerResponse } from "node:http";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { operationOf, type S3Operation, type S3Request } from "./s3-operations.ts";

/** What the proxy does to a request instead of passing it on as it is. */
export type S3Fault =
  /** Answers 503 SlowDown, as S3 does under load. */
  | { readonly kind: "slow-down" }
  /** Resets the connection after so many bytes of the request's body (of the answer's, where a request has none), at its end at the latest. */
  | { readonly kind: "reset"; readonly afterBytes: number }
  /** Lets request and answer pass at this speed. */
  | { readonly kind: "slow"; readonly bytesPerSecond: number }
  /** Takes the request and never answers. */
  | { readonly kind: "stall" }
  /**
   * Answers an UploadPart with success and forgets the part. The completion then fails, as in S3; with `hidden` it
   * succeeds without the part, as in a store that is broken.
   */
  | { readonly kind: "lose"; readonly hidden?: boolean };

/** Which requests a fault meets: all operations and any number of times unless told. */
export interface S3FaultScope {
  readonly on?: readonly S3Operation[];
  /** Only requests whose path and query match. */
  readonly path?: RegExp;
  readonly times?: number;
}

/** An HTTP proxy before an S3 server that misbehaves on demand. */
export interface S3Proxy extends AsyncDisposable {
  readonly endpoint: string;
  /** All requests so far, in the order of their arrival. */
  readonly requests: readonly S3Request[];
  /** Adds a fault; the returned function takes it away again. Of several that fit, the oldest one is used. */
  inject(fault: S3Fault, scope?: S3FaultScope): () => void;
  /** Closes the port: open connections are reset, new ones are refused. */
  refuse(): Promise<void>;
  /** Opens the port again. */
  accept(): Promise<void>;
  /** Takes all faults away and opens the port. */
  heal(): Promise<void>;
  stop(): Promise<void>;
}

interface ActiveFault {
  readonly fault: S3Fault;
  readonly on: readonly S3Operation[] | undefined;
  readonly path: RegExp | undefined;
  left: number;
}

const slowDown =
  '<?xml version="1.0" encoding="UTF-8"?><Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>';

/** Starts a proxy on a free port of 127.0.0.1 before `target`, such as `http://127.0.0.1:9000`. */
export async function startS3Proxy(target: string): Promise<S3Proxy> {
  const upstream = new URL(target);
  const requests: S3Request[] = [];
  const faults = new Set<ActiveFault>();
  /** `uploadId part` of those that a hidden loss must keep out of the completion. */
  const hiddenParts = new Set<string>();

  const take = (operation: S3Operation, url: string): S3Fault | undefined => {
    const active = [...faults].find(
      ({ fault, on, path }) =>
        (on ?? [operation]).includes(operation) &&
        (path?.test(url) ?? true) &&
        (fault.kind !== "lose" || operation === "UploadPart"),
    );
    if (!active) return undefined;
    active.left -= 1;
    if (active.left === 0) faults.delete(active);
    return active.fault;
  };

  const handle = async (incoming: IncomingMessage, response: ServerResponse) => {
    const { operation, uploadId, partNumber } = operationOf(incoming);
    const entry: S3Request = { operation, method: incoming.method ?? "", path: incoming.url ?? "", status: undefined };
    requests.push(entry);
    response.once("finish", () => {
      entry.status = response.statusCode;
    });
    const fault = take(operation, entry.path);
    if (fault?.kind === "stall") return;
    if (fault?.kind === "slow-down") {
      incoming.resume();
      response.writeHead(503, { "content-type": "application/xml" }).end(slowDown);
    } else if (fault?.kind === "lose") {
      const hash = createHash("md5");
      for await (const chunk of incoming) hash.update(chunk as Buffer);
      if (fault.hidden) hiddenParts.add(`${uploadId} ${partNumber}`);
      response.writeHead(200, { etag: `"${hash.digest("hex")}"` }).end();
    } else if (operation === "CompleteMultipartUpload" && hiddenParts.size > 0) {
      await forwardWithoutParts(upstream, incoming, response, (part) => hiddenParts.has(`${uploadId} ${part}`));
    } else {
      await forward(upstream, incoming, response, fault);
    }
  };

  const server = createServer((incoming, response) => {
    const { socket } = incoming;
    // An end on one side is passed on to the other: what broke shows there.
    handle(incoming, response).catch(() => socket.resetAndDestroy());
  });
  const listen = async (port: number) => {
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    return typeof address === "object" && address ? address.port : port;
  };
  const refuse = async () => {
    if (!server.listening) return;
    const closed = once(server, "close");
    server.close();
    server.closeAllConnections();
    await closed;
  };
  const port = await listen(0);
  const accept = async () => {
    if (!server.listening) await listen(port);
  };
  return {
    endpoint: `http://127.0.0.1:${port}`,
    requests,
    inject(fault, { on, path, times = Number.POSITIVE_INFINITY } = {}) {
      const active: ActiveFault = { fault, on, path, left: times };
      faults.add(active);
      return () => {
        faults.delete(active);
      };
    },
    refuse,
    accept,
    async heal() {
      faults.clear();
      await accept();
    },
    stop: refuse,
    [Symbol.asyncDispose]: refuse,
  };
}

/** Passes a request on and its answer back, through the fault's delays and breaks. */
async function forward(
  upstream: URL,
  incoming: IncomingMessage,
  response: ServerResponse,
  fault?: S3Fault,
): Promise<void> {
  const outgoing = openUpstream(upstream, incoming);
  const hasBody = Number(incoming.headers["content-length"] ?? 0) > 0 || "transfer-encoding" in incoming.headers;
  const answered = once(outgoing, "response") as Promise<[IncomingMessage]>;
  // Both are awaited together: an early answer (an error) comes while the body is still under way.
  const sent = pipeline(incoming, hasBody ? impede(fault) : impede(), outgoing);
  const [answer] = await Promise.race([answered, sent.then(() => answered)]);
  response.writeHead(answer.statusCode ?? 502, answer.headers);
  await pipeline(answer, hasBody && fault?.kind === "reset" ? impede() : impede(fault), response);
}

/** Passes a completion on without the parts that were lost on the quiet. */
async function forwardWithoutParts(
  upstream: URL,
  incoming: IncomingMessage,
  response: ServerResponse,
  isHidden: (partNumber: string) => boolean,
): Promise<void> {
  let body = "";
  for await (const chunk of incoming) body += String(chunk);
  const kept = body.replace(/<Part>.*?<\/Part>/gs, (part) => {
    return isHidden(/<PartNumber>(\d+)<\/PartNumber>/.exec(part)?.[1] ?? "") ? "" : part;
  });
  const outgoing = openUpstream(upstream, incoming, Buffer.byteLength(kept));
  outgoing.end(kept);
  const [answer] = (await once(outgoing, "response")) as [IncomingMessage];
  response.writeHead(answer.statusCode ?? 502, answer.headers);
  await pipeline(answer, response);
}

function openUpstream(upstream: URL, { method, url, headers }: IncomingMessage, length?: number) {
  const changed = length === undefined ? headers : { ...headers, "content-length": String(length) };
  return openRequest({
    hostname: upstream.hostname,
    port: upstream.port,
    method,
    path: url,
    headers: changed,
    agent: false,
  });
}

/** A stream that lets bytes pass as the fault wants: all, slowly, or so many and then an error. */
function impede(fault?: S3Fault): Transform {
  let passed = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      passed += chunk.length;
      if (fault?.kind === "reset" && passed > fault.afterBytes) return done(new Error("connection reset on demand"));
      if (fault?.kind !== "slow") return done(undefined, chunk);
      setTimeout(done, (chunk.length / fault.bytesPerSecond) * 1000, undefined, chunk);
    },
    flush(done) {
      done(fault?.kind === "reset" ? new Error("connection reset on demand") : undefined);
    },
  });
}
