import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";

/** What a key had: a version, or the mark of its removal. The newest is the first of its key. */
export interface KeptVersion {
  readonly id: string;
  readonly body: Buffer | undefined;
  readonly etag: string;
  readonly modified: Date;
  readonly headers: Readonly<Record<string, string>>;
}

export type Versioning = "Enabled" | "Suspended" | undefined;

/** A bucket in memory that keeps versions, as AWS S3 describes it. */
export interface VersionedS3 extends AsyncDisposable {
  readonly endpoint: string;
  readonly versions: Map<string, KeptVersion[]>;
  /** `PUT key`, `DELETE key`, `LIST`, `VERSIONS`, `COPY key`, ..., in the order of their arrival. */
  readonly requests: string[];
  versioning: Versioning;
  /** Its clock gives whole seconds only. */
  seconds: boolean;
  /** Answers instead of the bucket: a status and a code, or nothing. */
  refuse: ((request: string) => readonly [number, string] | undefined) | undefined;
  /** Called before a request is carried out. */
  onRequest: ((request: string) => void | Promise<void>) | undefined;
  /** Its rules for older versions, as XML. */
  rules: string | undefined;
  /** Access keys by which it was asked. */
  readonly keys: Set<string>;
  /** Objects written by it have ETags that say nothing, as those that the server encrypts. */
  opaqueTags: boolean;
  put(key: string, body: string | Buffer, headers?: Record<string, string>): void;
  remove(key: string): void;
  /** What is there now: key to content. */
  now(): Record<string, string>;
}

const kept = /^(content-(type|encoding|disposition|language)|cache-control|expires|x-amz-meta-.*)$/;

function refusal(code: string): string {
  return `<Error><Code>${code}</Code><Message>told</Message></Error>`;
}

export async function startVersionedS3(options: { readonly pageSize?: number } = {}): Promise<VersionedS3> {
  const versions = new Map<string, KeptVersion[]>();
  const uploads = new Map<string, { headers: Record<string, string>; parts: Map<number, Buffer> }>();
  const requests: string[] = [];
  const mostKeys = options.pageSize ?? 1000;
  let count = 0;
  let clock = 0;

  const id = (): string => {
    count += 1;
    return `v${count}`;
  };
  const date = (): Date => {
    // Never twice the same.
    clock = Math.max(Date.now(), clock + 1);
    return new Date(s3.seconds ? Math.floor(clock / 1000) * 1000 : clock);
  };
  const add = (key: string, body: Buffer | undefined, headers: Record<string, string>, etag?: string): KeptVersion => {
    const list = versions.get(key) ?? [];
    const isNull = s3.versioning !== "Enabled";
    const md5 = createHash("md5")
      .update(body ?? "")
      .digest("hex");
    const tag = s3.opaqueTags ? createHash("md5").update(`${count}`).digest("hex") : (etag ?? md5);
    const version = { id: isNull ? "null" : id(), body, etag: `"${tag}"`, modified: date(), headers };
    versions.set(key, [version, ...(isNull ? list.filter((each) => each.id !== "null") : list)]);
    return version;
  };
  const present = (key: string): KeptVersion | undefined => {
    const [newest] = versions.get(key) ?? [];
    return newest?.body ? newest : undefined;
  };
  const sorted = (prefix: string): string[] =>
    [...versions.keys()]
      .filter((key) => key.startsWith(prefix))
      .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  const shown = (key: string): string => encodeURIComponent(key).replaceAll("%20", "+").replaceAll("'", "%27");
  const tag = (etag: string): string => `<ETag>&quot;${etag.slice(1, -1)}&quot;</ETag>`;

  const list = (query: URLSearchParams): string => {
    const all = sorted(query.get("prefix") ?? "").filter((key) => present(key));
    const token = query.get("continuation-token");
    const after = Buffer.from(token ?? "", "base64");
    const from = token === null ? 0 : all.findIndex((key) => Buffer.compare(Buffer.from(key), after) > 0);
    const page = from === -1 ? [] : all.slice(from, from + Math.min(mostKeys, Number(query.get("max-keys") ?? 1000)));
    const contents = page.map((key) => {
      const { body, etag, modified } = present(key) as KeptVersion;
      return `<Contents><Key>${shown(key)}</Key><Size>${body?.length}</Size>${tag(etag)}<LastModified>${modified.toISOString()}</LastModified></Contents>`;
    });
    const last = page.at(-1);
    const more =
      last !== undefined && last !== all.at(-1)
        ? `<IsTruncated>true</IsTruncated><NextContinuationToken>${Buffer.from(last).toString("base64")}</NextContinuationToken>`
        : "";
    return `<ListBucketResult><EncodingType>url</EncodingType>${more}${contents.join("")}</ListBucketResult>`;
  };
  const listVersions = (query: URLSearchParams): string => {
    const all = sorted(query.get("prefix") ?? "").flatMap((key) =>
      (versions.get(key) ?? []).map((version, index) => ({ key, version, index })),
    );
    const [key, version] = [query.get("key-marker"), query.get("version-id-marker")];
    const at = all.findIndex((each) => each.key === key && (version === null || each.version.id === version));
    const from = key === null ? 0 : at + 1;
    const page = all.slice(from, from + Math.min(mostKeys, Number(query.get("max-keys") ?? 1000)));
    const entries = page.map(({ key, version: { id, body, etag, modified }, index }) => {
      const common = `<Key>${shown(key)}</Key><VersionId>${id}</VersionId><IsLatest>${index === 0}</IsLatest><LastModified>${modified.toISOString()}</LastModified>`;
      return body
        ? `<Version>${common}${tag(etag)}<Size>${body.length}</Size><StorageClass>STANDARD</StorageClass></Version>`
        : `<DeleteMarker>${common}</DeleteMarker>`;
    });
    const last = page.at(-1);
    const more =
      last !== undefined && from + page.length < all.length
        ? `<IsTruncated>true</IsTruncated><NextKeyMarker>${shown(last.key)}</NextKeyMarker><NextVersionIdMarker>${last.version.id}</NextVersionIdMarker>`
        : "<IsTruncated>false</IsTruncated>";
    return `<ListVersionsResult><EncodingType>url</EncodingType>${more}${entries.join("")}</ListVersionsResult>`;
  };
  const sourceOf = (header: string): KeptVersion | undefined => {
    const [path = "", versionId] = header.split("?versionId=", 2);
    const key = decodeURIComponent(path.slice(path.indexOf("/") + 1));
    return versions.get(key)?.find((each) => each.id === decodeURIComponent(versionId ?? ""));
  };
  const written = ({ id, etag }: KeptVersion): Record<string, string> => ({
    etag,
    ...(s3.versioning && { "x-amz-version-id": id }),
  });
  const carryOut: Readonly<Record<string, (call: Call) => Answer>> = {
    VERSIONING: () => {
      const status = s3.versioning ? `<Status>${s3.versioning}</Status>` : "";
      return xml(`<VersioningConfiguration>${status}</VersioningConfiguration>`);
    },
    LIST: ({ query }) => xml(list(query)),
    VERSIONS: ({ query }) => xml(listVersions(query)),
    LIFECYCLE: () => (s3.rules ? xml(s3.rules) : { status: 404, body: refusal("NoSuchLifecycleConfiguration") }),
    TAGS: () => xml("<Tagging><TagSet/></Tagging>"),
    PUT: ({ key, body, headers }) => ({ status: 200, headers: written(add(key, body, keptOf(headers))) }),
    DELETE: ({ key }) => {
      if (s3.versioning === undefined) versions.delete(key);
      if (s3.versioning === undefined) return { status: 204 };
      const { id } = add(key, undefined, {});
      return { status: 204, headers: { "x-amz-delete-marker": "true", "x-amz-version-id": id } };
    },
    COPY: ({ key, copySource }) => {
      const source = sourceOf(copySource);
      if (!source?.body) return { status: 404, body: refusal("NoSuchVersion") };
      const made = add(key, source.body, source.headers);
      return { ...xml(`<CopyObjectResult>${tag(made.etag)}</CopyObjectResult>`), headers: written(made) };
    },
    UPLOAD: ({ headers }) => {
      const uploadId = id();
      uploads.set(uploadId, { headers: keptOf(headers), parts: new Map() });
      return xml(`<InitiateMultipartUploadResult><UploadId>${uploadId}</UploadId></InitiateMultipartUploadResult>`);
    },
    PART: ({ query, body }) => addPart(query, body),
    COPYPART: ({ query, headers, copySource }) => {
      const [, from, to] = /bytes=(\d+)-(\d+)/.exec(String(headers["x-amz-copy-source-range"])) ?? [];
      const bytes = sourceOf(copySource)?.body?.subarray(Number(from), Number(to) + 1);
      const { status, headers: tags } = addPart(query, bytes);
      return status === 200 ? xml(`<CopyPartResult><ETag>${tags?.["etag"]}</ETag></CopyPartResult>`) : { status };
    },
    COMPLETE: ({ key, query }) => {
      const upload = uploads.get(query.get("uploadId") ?? "");
      if (!upload) return { status: 404, body: refusal("NoSuchUpload") };
      uploads.delete(query.get("uploadId") ?? "");
      const parts = [...upload.parts].sort(([a], [b]) => a - b).map(([, bytes]) => bytes);
      const tags = createHash("md5");
      for (const part of parts) tags.update(createHash("md5").update(part).digest());
      const made = add(key, Buffer.concat(parts), upload.headers, `${tags.digest("hex")}-${parts.length}`);
      return { ...xml("<CompleteMultipartUploadResult/>"), headers: written(made) };
    },
    ABORT: ({ query }) => {
      uploads.delete(query.get("uploadId") ?? "");
      return { status: 204 };
    },
    GET: (call) => get(call),
    HEAD: (call) => get(call),
  };
  const addPart = (query: URLSearchParams, bytes: Buffer | undefined): Answer => {
    const upload = uploads.get(query.get("uploadId") ?? "");
    if (!upload || !bytes) return { status: 404, body: refusal("NoSuchUpload") };
    upload.parts.set(Number(query.get("partNumber")), bytes);
    return { status: 200, headers: { etag: `"${createHash("md5").update(bytes).digest("hex")}"` } };
  };
  const get = ({ key, query, headers }: Call): Answer => {
    const versionId = query.get("versionId");
    const found = versionId === null ? present(key) : versions.get(key)?.find((each) => each.id === versionId);
    if (!found?.body) return { status: 404, body: refusal("NoSuchKey") };
    if (headers["if-match"] !== undefined && headers["if-match"] !== found.etag) return { status: 412 };
    const length = { "content-length": String(found.body.length), "last-modified": found.modified.toUTCString() };
    return { status: 200, headers: { ...found.headers, ...length, etag: found.etag }, body: found.body };
  };

  const answer = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    // Not by `URL`, which resolves "..".
    const [path = "", search = ""] = (incoming.url ?? "").split("?", 2);
    const slash = path.indexOf("/", 1);
    const key = slash === -1 ? "" : decodeURIComponent(path.slice(slash + 1));
    const query = new URLSearchParams(search);
    const { method = "", headers } = incoming;
    const copySource = String(headers["x-amz-copy-source"] ?? "");
    const body = await buffer(incoming);
    const verb = key === "" ? bucketVerb(query) : objectVerb(method, query, copySource !== "");
    const kind = key === "" ? verb : `${verb} ${key}`;
    requests.push(kind);
    s3.keys.add(/Credential=([^/]+)/.exec(headers.authorization ?? "")?.[1] ?? "");
    await s3.onRequest?.(kind);
    const [status, code] = s3.refuse?.(kind) ?? [];
    const none: Answer = { status: 404, body: refusal("NoSuchConfiguration") };
    const result =
      status === undefined
        ? (carryOut[verb]?.({ key, query, headers, copySource, body }) ?? none)
        : { status, body: refusal(code ?? "") };
    response.writeHead(result.status, result.headers).end(method === "HEAD" ? undefined : result.body);
  };
  const server = createServer((incoming, response) => {
    answer(incoming, response).catch(() => response.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const s3: VersionedS3 = {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    versions,
    requests,
    versioning: "Enabled",
    seconds: false,
    refuse: undefined,
    onRequest: undefined,
    rules: undefined,
    keys: new Set(),
    opaqueTags: false,
    put: (key, body, headers = {}) => void add(key, Buffer.from(body), headers),
    remove: (key) => void add(key, undefined, {}),
    now: () =>
      Object.fromEntries(sorted("").flatMap((key) => (present(key) ? [[key, String(present(key)?.body)]] : []))),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  return s3;
}

/** A request for a key, whole. */
interface Call {
  readonly key: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage["headers"];
  readonly copySource: string;
  readonly body: Buffer;
}

function bucketVerb(query: URLSearchParams): string {
  const asked = ["versioning", "versions", "lifecycle", "object-lock"].find((name) => query.has(name));
  return asked?.toUpperCase() ?? "LIST";
}

function objectVerb(method: string, query: URLSearchParams, copies: boolean): string {
  if (query.has("uploads")) return "UPLOAD";
  if (query.has("tagging")) return "TAGS";
  if (!query.has("uploadId")) return copies ? "COPY" : method;
  const verbs: Record<string, string> = { PUT: copies ? "COPYPART" : "PART", POST: "COMPLETE", DELETE: "ABORT" };
  return verbs[method] ?? method;
}

function keptOf(headers: IncomingMessage["headers"]): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => kept.test(name))) as Record<string, string>;
}

interface Answer {
  readonly status: number;
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
}

function xml(body: string): Answer {
  return { status: 200, headers: { "content-type": "application/xml" }, body };
}
