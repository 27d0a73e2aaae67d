import type { S3, S3ClientConfig } from "@aws-sdk/client-s3";
import { s3Request, s3Timeouts } from "../resilience.ts";
import { asSent, asSigned } from "./s3-headers.ts";
import { presignGet } from "./s3-presign.ts";

/** How to reach a bucket's server. */
export interface S3Options {
  readonly endpoint?: string | undefined;
  readonly region: string;
  /** Without them the SDK looks where AWS tools do: the environment, a profile, the machine's or the pod's role. */
  readonly accessKeyId?: string | undefined;
  readonly secretAccessKey?: string | undefined;
  /** Of temporary keys. */
  readonly sessionToken?: string | undefined;
  readonly forcePathStyle: boolean;
  /** Connections at the same time; default 8. */
  readonly maxSockets?: number;
  /** Milliseconds without any progress on a connection until a request fails; default that of `s3Timeouts`. */
  readonly idleMs?: number;
}

export interface RequestOptions {
  readonly abortSignal?: AbortSignal;
}

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  /** For a request that the server works on for minutes before it answers. */
  readonly patient?: boolean;
}

/** Requests to an S3 server, retried by the preset `s3Request`. The SDK is loaded at the first one. */
export interface S3Requests {
  /** Makes one request: `call((s3, options) => s3.headObject({...}, options))`. Rejects with the SDK's error. */
  call<T>(request: (s3: S3, options: RequestOptions) => Promise<T>, options?: CallOptions): Promise<T>;
  /** A URL that gives the object to whoever has it, for so many seconds: 604,800 at most. Sends nothing. */
  presign(object: { readonly Bucket: string; readonly Key: string }, seconds: number): Promise<string>;
  close(): void;
}

/** Requests to the server of one bucket. Connects to nothing yet. */
export function createS3Requests(options: S3Options): S3Requests {
  // Loading the SDK takes about 30 MB and 0.3 s: the bot and most CLI commands never need it.
  const clients = new Map<boolean, Promise<S3>>();
  const client = (patient: boolean): Promise<S3> => {
    const existing = clients.get(patient);
    if (existing !== undefined) return existing;
    const created = createClient(options, patient ? s3Timeouts.completeIdleMs : (options.idleMs ?? s3Timeouts.idleMs));
    clients.set(patient, created);
    return created;
  };
  return {
    async call(request, { signal, patient = false } = {}) {
      const s3 = await client(patient);
      return s3Request.execute(() => {
        signal?.throwIfAborted();
        return request(s3, signal === undefined ? {} : { abortSignal: signal });
      }, signal);
    },
    async presign(object, seconds) {
      return presignGet(await client(false), object, seconds);
    },
    close() {
      for (const created of clients.values()) void created.then((s3) => s3.destroy());
      clients.clear();
    },
  };
}

const nothing = (): void => {};
const silent = { trace: nothing, debug: nothing, info: nothing, warn: nothing, error: nothing };

async function createClient(options: S3Options, idleMs: number): Promise<S3> {
  const [{ S3 }, { NodeHttpHandler }] = await Promise.all([
    import("@aws-sdk/client-s3"),
    import("@smithy/node-http-handler"),
  ]);
  const agent = { keepAlive: true, maxSockets: options.maxSockets ?? 8 };
  const { accessKeyId, secretAccessKey, sessionToken } = options;
  const config: S3ClientConfig = {
    region: options.region,
    ...(options.endpoint === undefined ? {} : { endpoint: options.endpoint }),
    ...(accessKeyId === undefined || secretAccessKey === undefined
      ? {}
      : { credentials: { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) } }),
    forcePathStyle: options.forcePathStyle,
    // The SDK's own checksums (CRC32 in a trailer) are refused by many servers other than AWS. Bodies are sent with
    // their MD5, which is signed, and every object is compared with our own SHA-256 when it is read.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    // Some servers never answer "Expect: 100-continue", which costs six seconds for each part.
    expectContinueHeader: false,
    // One layer of retries only: the preset.
    maxAttempts: 1,
    // What fails is an error of the request; the SDK would also write on the console that it does not repeat streams.
    logger: silent,
    requestHandler: new NodeHttpHandler({
      connectionTimeout: s3Timeouts.connectMs,
      socketTimeout: idleMs,
      httpAgent: agent,
      httpsAgent: agent,
    }),
  };
  const s3 = new S3(config);
  s3.middlewareStack.add(
    (next) => (args) => {
      const { headers } = args.request as { readonly headers: Record<string, string> };
      if ("content-md5" in headers) headers["x-amz-content-sha256"] = "UNSIGNED-PAYLOAD";
      return next(args);
    },
    signedByMd5,
  );
  s3.middlewareStack.add((next) => (args) => next({ ...args, request: asSigned(args.request) }), beforeSigning);
  s3.middlewareStack.add((next) => (args) => next({ ...args, request: asSent(args.request) }), afterSigning);
  return s3;
}

const beforeSigning = { step: "build", name: "headersAsSigned", priority: "low" } as const;
const afterSigning = { step: "deserialize", name: "headersAsSent", priority: "low" } as const;

/**
 * A body whose MD5 is among the signed headers is not hashed once more for the signature: whoever wanted to change it
 * on its way would have to find another body of the same MD5, which nobody can. The AWS CLI does the same over TLS.
 */
const signedByMd5 = { step: "build", name: "signedByMd5", priority: "low" } as const;
