import { Readable } from "node:stream";
import type { CreateMultipartUploadCommandInput } from "@aws-sdk/client-s3";
import { createS3Requests, type S3Requests } from "../../lib/clients/s3.ts";
import { type Bandwidth, sharedBandwidth } from "./bandwidth.ts";
import type { S3Place } from "./errors.ts";
import { mostParts } from "./parts.ts";
import type { S3Config } from "./schema.ts";

/** What a new object gets besides its bytes. */
export type ObjectAttributes = Pick<
  CreateMultipartUploadCommandInput,
  "StorageClass" | "ServerSideEncryption" | "SSEKMSKeyId" | "ObjectLockMode" | "ObjectLockRetainUntilDate"
>;

/** The bucket that a writer writes to. */
export interface S3Target {
  readonly requests: S3Requests;
  readonly place: S3Place;
  readonly bucket: string;
  /** Put before every key. */
  readonly prefix: string;
  readonly maxParts: number;
  /** Parts on their way at once; default by the memory for them. */
  readonly concurrency?: number | undefined;
  readonly bandwidth?: Bandwidth | undefined;
  /** Of a backup's parts. Manifests and what lies beside them are read all the time: the server's default. */
  readonly storageClass?: NonNullable<ObjectAttributes["StorageClass"]> | undefined;
  /** For an object that is made now. Its lock, if any, lasts `lockMs`: default what is configured. */
  attributes(options?: { readonly lockMs?: number }): ObjectAttributes;
}

export function targetOf(name: string, config: S3Config): S3Target {
  const { bucket, prefix, endpoint, region, bandwidth, concurrency, objectLock } = config;
  const server = endpoint === undefined ? `AWS S3 in ${region}` : new URL(endpoint).host;
  const encryption = {
    ...(config.serverSideEncryption === undefined ? {} : { ServerSideEncryption: config.serverSideEncryption }),
    ...(config.kmsKeyId === undefined ? {} : { SSEKMSKeyId: config.kmsKeyId }),
  };
  return {
    // Two connections more than parts on their way: the listing and the manifest need not wait for them.
    requests: createS3Requests({ ...config, maxSockets: Math.max(8, (concurrency ?? 0) + 2) }),
    place: { storage: name, bucket, server },
    bucket,
    prefix,
    maxParts: config.maxParts ?? mostParts,
    concurrency,
    // Servers have classes of their own, which the SDK sends as they are.
    storageClass: config.storageClass as ObjectAttributes["StorageClass"],
    bandwidth: bandwidth === undefined ? undefined : sharedBandwidth(`${server}/${bucket}/${prefix}`, bandwidth),
    attributes({ lockMs = objectLock?.for ?? 0 } = {}) {
      const lock = objectLock && {
        ObjectLockMode: ({ governance: "GOVERNANCE", compliance: "COMPLIANCE" } as const)[objectLock.mode],
        ObjectLockRetainUntilDate: new Date(Date.now() + lockMs),
      };
      return { ...encryption, ...lock };
    },
  };
}

/** Bytes for a request: as they are, or at the pace that the limit allows. To be made anew for each attempt. */
export function bodyOf(
  { bandwidth }: S3Target,
  bytes: Uint8Array,
  signal?: AbortSignal,
): { readonly Body: Uint8Array | Readable; readonly ContentLength: number } {
  const ContentLength = bytes.length;
  if (bandwidth === undefined || ContentLength === 0) return { Body: bytes, ContentLength };
  const Body = Readable.from(bandwidth.paced(bytes, signal), { objectMode: false });
  // An abort ends it too, and the SDK does not listen: the request tells what has happened.
  Body.on("error", () => undefined);
  return { Body, ContentLength };
}
