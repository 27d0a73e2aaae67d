import { AppError, type ErrorCode } from "../../core/errors.ts";

/** What a file system error means for the storage `name`. `AppError`s are returned as they are. */
export function fileError(error: unknown, name: string, path: string): AppError {
  if (error instanceof AppError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  const [appCode, text, permanent] = describe(code, message);
  return new AppError(appCode, `storage ${name}: ${text} (${path})`, {
    permanent,
    context: { storage: name, errno: code },
    cause: error,
  });
}

function describe(code: string | undefined, message: string): [ErrorCode, string, boolean] {
  switch (code) {
    case "ENOSPC":
      return ["storage-full", "the disk is full: free space or shorten `keep`", false];
    case "EDQUOT":
      return ["storage-full", "the disk quota is used up: free space or raise it", false];
    case "EACCES":
    case "EPERM":
      return ["storage-refused", "no permission to write here: let the worker's user own the folder", true];
    case "EROFS":
      return ["storage-refused", "the file system is read-only", true];
    case "ENOTDIR":
      return ["storage-refused", "a part of the path is not a folder", true];
    default:
      return ["storage-unreachable", message.split("\n", 1)[0] ?? "", false];
  }
}

/** True for "no such file or folder". */
export function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === "ENOENT";
}
