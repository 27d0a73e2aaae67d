import { fileURLToPath } from "node:url";
import { AppError } from "../../core/errors.ts";
import type { BucketConfig } from "./bucket.ts";
import type { S3SourceConfig } from "./schema.ts";

/** Where a bucket is restored to. */
export type Place =
  | { readonly kind: "bucket"; readonly config: BucketConfig; readonly prefix: string }
  | { readonly kind: "folder"; readonly path: string };

const options = new Set(["endpoint", "region", "pathStyle"]);
const restoreConcurrency = 8;

/**
 * `s3://bucket/prefix?endpoint=https://s3.example.org&region=ru-1&pathStyle=true`, `file:///folder` or `/folder`. What
 * an address of a bucket leaves out is as in the source; the source's keys are for its own server only, for another
 * one they come from where AWS tools find them (AWS_ACCESS_KEY_ID, a profile). Throws `config`.
 */
export function parseTarget(text: string, source?: S3SourceConfig): Place {
  if (text.startsWith("/")) return { kind: "folder", path: text };
  const url = URL.parse(text);
  const hasKeys = url !== null && (url.username !== "" || url.password !== "");
  if (!hasKeys && url?.protocol === "file:" && url.host === "" && url.search === "")
    return { kind: "folder", path: fileURLToPath(url) };
  const given = Object.fromEntries(url?.searchParams ?? []);
  const isKnown = Object.keys(given).every((option) => options.has(option));
  const endpoint = given["endpoint"] ?? source?.endpoint;
  if (
    hasKeys ||
    url?.protocol !== "s3:" ||
    url.hostname === "" ||
    !isKnown ||
    !["true", "false", undefined].includes(given["pathStyle"]) ||
    (endpoint !== undefined && !/^https?:$/.test(URL.parse(endpoint)?.protocol ?? ""))
  )
    throw new AppError(
      "config",
      "expected s3://bucket/prefix?endpoint=https://..., without keys, or the path of a folder",
      { text: { key: "error-s3-target" } },
    );
  const own = source !== undefined && endpoint === source.endpoint;
  const pathStyle = given["pathStyle"] ?? String(own ? source.forcePathStyle : endpoint !== undefined);
  const prefix = decodeURIComponent(url.pathname).replace(/^\/+/, "");
  return {
    kind: "bucket",
    prefix: prefix === "" || prefix.endsWith("/") ? prefix : `${prefix}/`,
    config: {
      ...(own
        ? {
            accessKeyId: source.accessKeyId,
            secretAccessKey: source.secretAccessKey,
            sessionToken: source.sessionToken,
          }
        : {}),
      endpoint,
      region: given["region"] ?? (own ? source.region : "us-east-1"),
      bucket: url.hostname,
      forcePathStyle: pathStyle === "true",
      concurrency: restoreConcurrency,
    },
  };
}
