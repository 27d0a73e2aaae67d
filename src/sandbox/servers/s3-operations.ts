import type { IncomingMessage } from "node:http";

/** The operations of S3 that backups use, by their names in its reference. */
export type S3Operation =
  | "AbortMultipartUpload"
  | "CompleteMultipartUpload"
  | "CreateMultipartUpload"
  | "DeleteObject"
  | "DeleteObjects"
  | "GetObject"
  | "HeadBucket"
  | "HeadObject"
  | "ListMultipartUploads"
  | "ListObjects"
  | "ListParts"
  | "PutObject"
  | "UploadPart"
  | "Other";

/** A request as it arrived; `status` is undefined until it is answered, and stays so when the connection broke. */
export interface S3Request {
  readonly operation: S3Operation;
  readonly method: string;
  readonly path: string;
  status: number | undefined;
}

/** What a path-style request asks for. */
export function operationOf({ method, url = "/" }: Pick<IncomingMessage, "method" | "url">): {
  readonly operation: S3Operation;
  readonly uploadId: string | undefined;
  readonly partNumber: string | undefined;
} {
  const { pathname, searchParams } = new URL(url, "http://localhost");
  const [, bucket, ...key] = pathname.split("/");
  const kind = key.join("/") === "" ? "bucket" : "object";
  const has = (name: string) => searchParams.has(name);
  const table: Record<string, () => S3Operation> = {
    "bucket GET": () => (has("uploads") ? "ListMultipartUploads" : "ListObjects"),
    "bucket HEAD": () => "HeadBucket",
    "bucket POST": () => (has("delete") ? "DeleteObjects" : "Other"),
    "object GET": () => (has("uploadId") ? "ListParts" : "GetObject"),
    "object HEAD": () => "HeadObject",
    "object PUT": () => (has("partNumber") ? "UploadPart" : "PutObject"),
    "object POST": () =>
      has("uploads") ? "CreateMultipartUpload" : has("uploadId") ? "CompleteMultipartUpload" : "Other",
    "object DELETE": () => (has("uploadId") ? "AbortMultipartUpload" : "DeleteObject"),
  };
  return {
    operation: (bucket && table[`${kind} ${method}`]?.()) || "Other",
    uploadId: searchParams.get("uploadId") ?? undefined,
    partNumber: searchParams.get("partNumber") ?? undefined,
  };
}
