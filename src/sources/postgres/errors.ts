import { AppError, toAppError } from "../../core/errors.ts";
import type { Text } from "../../core/text.ts";

/** The server has answered, and lets nobody in with this user, password, database or kind of connection. */
const refusal =
  /authentication failed|no password supplied|does not exist|no pg_hba\.conf entry|rejects connection|not permitted|permission denied for database/i;

/** The connection can not come about as it is configured, whether the server is up or not. */
const permanentConnection = /SSL|certificate|private key|invalid (URI|connection)/i;

/** What a failure of psql, pg_dump or pg_dumpall means. Errors that are not of these tools are returned as they are. */
export function sourceError(error: unknown): AppError {
  const cause = toAppError(error);
  if (cause.code !== "tool-failed") return cause;
  const { step = "", stderr = "" } = cause.context as { step?: string; stderr?: string };
  const line = firstError(stderr);
  // pg_dump waits for locks with a statement timeout.
  if (/lock timeout|could not obtain lock|statement timeout.*LOCK TABLE/is.test(stderr)) {
    const message = `${step}: a table stayed locked for too long (ALTER TABLE, TRUNCATE, VACUUM FULL?); raise lockWait or run at another time`;
    const text = { key: "error-source-locked", args: { step } };
    return new AppError("source-failed", message, { permanent: false, context: cause.context, text, cause });
  }
  if (/connection to server .* failed|could not (connect to server|translate host name)/i.test(stderr)) {
    const said = line.replace(/^.*?connection to server/, "connection to server");
    if (refusal.test(stderr)) {
      const text = { key: "error-source-refused" };
      return new AppError("source-refused", `the database lets nobody in: ${said}`, {
        context: cause.context,
        text,
        cause,
      });
    }
    const permanent = permanentConnection.test(stderr);
    const text = { key: "error-source-unreachable" };
    const message = `the database does not answer: ${said}`;
    return new AppError("source-unreachable", message, { permanent, context: cause.context, text, cause });
  }
  if (step === "zstd" || line === "") return cause;
  const permanent = /permission denied|must be (superuser|owner)|row-level security/i.test(stderr);
  const text = { key: "error-source-tool", args: { step } };
  return new AppError("source-failed", `${step} failed: ${line}`, { permanent, context: cause.context, text, cause });
}

/** What a failure while something is restored means; else as `sourceError`. */
export function restoreError(error: unknown): AppError {
  const cause = sourceError(error);
  // Which of two servers it is, the address says.
  if (cause.code === "source-unreachable" || cause.code === "source-refused") {
    const said = firstError(String(cause.context["stderr"] ?? ""));
    const text = { key: "error-restore-connection", args: { reason: said } };
    const { permanent, context } = cause;
    return new AppError(cause.code, cause.message, { permanent, context, text, cause });
  }
  if (cause.code !== "source-failed" && cause.code !== "tool-failed") return cause;
  const { step = "", stderr = "" } = cause.context as { step?: string; stderr?: string };
  const because = (message: string, text: Text): AppError =>
    new AppError("source-failed", message, { context: cause.context, text, cause });
  const role = /role "(.+?)" does not exist/.exec(stderr)?.[1];
  if (role !== undefined) {
    const message = `role ${role} is not on the server: make it, or restore without owners and privileges`;
    return because(message, { key: "error-restore-role", args: { role } });
  }
  const extension =
    /extension "(.+?)" is not available/.exec(stderr)?.[1] ??
    /extension control file ".*?([^/"]+)\.control"/.exec(stderr)?.[1];
  if (extension !== undefined) {
    const message = `the server lacks the extension ${extension}: install it there`;
    return because(message, { key: "error-restore-extension", args: { extension } });
  }
  if (/permission denied|must be (?:superuser|owner|member|able to SET ROLE)/i.test(stderr)) {
    const said = firstError(stderr);
    return because(`${step}: the user may not do this there: ${said}`, {
      key: "error-restore-permission",
      args: { step },
    });
  }
  return cause;
}

/** The line that says what is wrong; hints and details follow it. */
function firstError(stderr: string): string {
  const lines = stderr.split("\n");
  const line = lines.find((candidate) => /\b(error|fatal|failed)\b/i.test(candidate)) ?? lines.at(-1) ?? "";
  return line
    .replace(/^(?:\S*\/)?(?:psql|pg_dump|pg_dumpall|pg_restore):(?:<stdin>:\d+:)?\s*(?:error:\s*)?/, "")
    .trim();
}
