import { AppError } from "../core/errors.ts";

export function notFound(storage: string, key: string, cause: unknown): AppError {
  return new AppError("not-found", `storage ${storage} has no ${key}`, {
    context: { storage, key },
    text: { key: "error-storage-no-object", args: { storage, object: key } },
    cause,
  });
}
