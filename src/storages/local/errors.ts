import { AppError, type ErrorCode } from "../../core/errors.ts";

/** What a file system error means for the storage `name`. `AppError`s are returned as they are. */
export function fileError(error: unknown, name: string, path: string): AppError {
  if (error instanceof AppError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  const { appCode, line, key, permanent } = describe(code, message);
  return new AppError(appCode, `storage ${name}: ${line} (${path})`, {
    permanent,
    text: { key, args: { storage: name, path, errno: code ?? "" } },
    context: { storage: name, errno: code },
    cause: error,
  });
}

interface Meaning {
  readonly appCode: ErrorCode;
  readonly line: string;
  /** Of the same in `messages/`. */
  readonly key: string;
  readonly permanent: boolean;
}

function describe(code: string | undefined, message: string): Meaning {
  const full = (line: string, key: string): Meaning => ({ appCode: "storage-full", line, key, permanent: false });
  const refused = (line: string, key: string): Meaning => ({ appCode: "storage-refused", line, key, permanent: true });
  switch (code) {
    case "ENOSPC":
      return full("the disk is full: free space or shorten `keep`", "error-disk-full");
    case "EDQUOT":
      return full("the disk quota is used up: free space or raise it", "error-disk-quota");
    case "EACCES":
    case "EPERM":
      return refused("no permission to write here: let the worker's user own the folder", "error-disk-permission");
    case "EROFS":
      return refused("the file system is read-only", "error-disk-read-only");
    case "ENOTDIR":
    case "EEXIST":
    case "ELOOP":
      return refused("a part of the path is not a folder", "error-disk-not-folder");
    default:
      return {
        appCode: "storage-unreachable",
        line: message.split("\n", 1)[0] ?? "",
        key: "error-disk-other",
        permanent: false,
      };
  }
}

/** True for "no such file or folder". */
export function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === "ENOENT";
}
