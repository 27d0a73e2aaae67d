import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** A multipart upload that was begun and neither completed nor aborted. */
export interface MultipartUpload {
  readonly bucket: string;
  readonly key: string;
  readonly uploadId: string;
  readonly initiated: Date;
}

/** Reads the open multipart uploads from the files where fauxqs keeps them, below its storage folder. */
export function listMultipartUploads(folder: string): MultipartUpload[] {
  const uploads = join(folder, "_multipart");
  if (!existsSync(uploads)) return [];
  return readdirSync(uploads)
    .map((id) => join(uploads, id, ".upload.json"))
    .filter((file) => existsSync(file))
    .map(
      (file) => JSON.parse(readFileSync(file, "utf8")) as Record<"bucket" | "key" | "uploadId" | "initiated", string>,
    )
    .map(({ bucket, key, uploadId, initiated }) => ({ bucket, key, uploadId, initiated: new Date(initiated) }));
}
