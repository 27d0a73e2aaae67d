import { createHash, randomBytes } from "node:crypto";
import type { Message, PhotoSize } from "@grammyjs/types";
import { BotApiError, badRequest } from "./errors.ts";
import { imageSize, imageType } from "./image.ts";
import type { Params, Upload } from "./params.ts";
import type { FileRecord } from "./store.ts";
import type { World } from "./world.ts";

/** What a bot may upload, in bytes. */
export const UPLOAD_LIMIT = 50 * 1024 * 1024;
/** What a bot may download, in bytes. */
export const DOWNLOAD_LIMIT = 20 * 1024 * 1024;
const PHOTO_LIMIT = 10 * 1024 * 1024;

/** The file of a call: uploaded under the parameter's name, uploaded elsewhere and named by `attach://`, or sent before. */
export function readFile(
  world: World,
  params: Params,
  kind: "photo" | "document",
  reference = params.text(kind),
): FileRecord {
  const direct = reference === "" ? params.file(kind) : undefined;
  if (direct) return keepFile(world, kind, direct);
  if (reference === "") throw badRequest(`there is no ${kind} in the request`);
  if (reference.startsWith("attach://")) {
    const upload = params.file(reference.slice("attach://".length));
    if (!upload) throw badRequest(`there is no ${kind} in the request`);
    return keepFile(world, kind, upload);
  }
  if (/^https?:\/\//i.test(reference)) throw badRequest("failed to get HTTP URL content");
  const known = world.store.files.get(reference);
  if (!known) throw badRequest("wrong remote file identifier specified: Wrong string length");
  if (known.kind !== kind) throw badRequest(`can't use file of type ${title(known.kind)} as ${title(kind)}`);
  return known;
}

function title(kind: "photo" | "document"): string {
  return kind === "photo" ? "Photo" : "Document";
}

function keepFile(world: World, kind: "photo" | "document", upload: Upload): FileRecord {
  if (upload.data.length === 0) throw badRequest("file must be non-empty");
  if (upload.data.length > UPLOAD_LIMIT) throw new BotApiError(413, "Request Entity Too Large");
  const size = imageSize(upload.data);
  if (kind === "photo") {
    if (upload.data.length > PHOTO_LIMIT)
      throw badRequest(
        `file of size ${upload.data.length} bytes is too big for a photo; the maximum size is ${PHOTO_LIMIT} bytes`,
      );
    if (!size) throw badRequest("IMAGE_PROCESS_FAILED");
    const ratio = Math.max(size.width / size.height, size.height / size.width);
    if (size.width + size.height > 10_000 || ratio > 20) throw badRequest("PHOTO_INVALID_DIMENSIONS");
  }
  const record: FileRecord = {
    kind,
    fileId: `${kind === "photo" ? "AgAC" : "BQAC"}${randomBytes(30).toString("base64url")}`,
    uniqueId: createHash("sha256").update(upload.data).digest("base64url").slice(0, 16),
    fileName: upload.fileName,
    mimeType: kind === "photo" ? imageType(upload.data) : upload.mimeType,
    data: upload.data,
    width: size?.width ?? 0,
    height: size?.height ?? 0,
  };
  world.store.files.set(record.fileId, record);
  return record;
}

export function photoContent(file: FileRecord): Partial<Message> {
  const photo: PhotoSize = {
    file_id: file.fileId,
    file_unique_id: file.uniqueId,
    width: file.width,
    height: file.height,
    file_size: file.data.length,
  };
  return { photo: [photo] };
}

export function documentContent(file: FileRecord): Partial<Message> {
  return {
    document: {
      file_id: file.fileId,
      file_unique_id: file.uniqueId,
      file_name: file.fileName,
      mime_type: file.mimeType,
      file_size: file.data.length,
    },
  };
}

/** The path under `/file/bot<token>/` from which the bot downloads the file. */
export function filePath(file: FileRecord): string {
  const extension = /\.[A-Za-z0-9]{1,8}$/.exec(file.fileName)?.[0] ?? (file.kind === "photo" ? ".jpg" : "");
  return `${file.kind}s/file_${file.fileId.slice(-8)}${extension}`;
}
