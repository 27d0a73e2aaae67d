import { AppError } from "../core/errors.ts";
import { reasonText } from "../messages/index.ts";
import { type FoundBackup, findBackup } from "../services/restore/choose.ts";
import type { Place } from "./place.ts";
import { UsageError } from "./report.ts";

/**
 * The backup that `which` names, as `findBackup` does. Storages that could not be looked into are told; unless the id of
 * its run was given, that is a failure, for the newest one may be there. Throws `UsageError` when there is none.
 */
export async function findNamed({ terminal, storages }: Place, which: string): Promise<FoundBackup> {
  const { messages, signal } = terminal;
  const found = await findBackup(storages, which, signal);
  if (!found) throw new UsageError("cli-verify-unknown", { which });
  const { id, unseen } = found;
  for (const { storage, error } of unseen) terminal.err(`${storage.name}: ${reasonText(error, messages)}`);
  if (unseen[0] && id !== which) {
    const names = unseen.map(({ storage }) => storage.name).join(", ");
    const message = `${names} could not be looked into, and may have a newer backup: name the id or the storages`;
    throw new AppError(unseen[0].error.code, message, {
      text: { key: "error-restore-unseen", args: { names, id } },
      cause: unseen[0].error,
    });
  }
  return found;
}
