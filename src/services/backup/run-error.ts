import type { AppError } from "../../core/errors.ts";
import type { RunError } from "../../core/run.ts";
import { redact, redactText } from "../../lib/redaction.ts";

/** An error as it is kept and shown: redacted, without a stack. `step` is used where the error names none. */
export function runError(error: AppError, step: string): RunError {
  const { stderr, exit, step: failedStep } = error.context;
  return {
    code: error.code,
    message: redact(error.message),
    ...(error.text ? { text: redactText(error.text) } : {}),
    step: typeof failedStep === "string" ? failedStep : step,
    ...(typeof stderr === "string" && stderr !== "" ? { stderr: redact(stderr) } : {}),
    ...(exit === undefined ? {} : { exit: String(exit) }),
  };
}
