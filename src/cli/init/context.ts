import type { Clock } from "../../core/ports.ts";
import type { Logger } from "../../lib/logger.ts";
import { redact } from "../../lib/redaction.ts";
import type { MessageArgs, Messages } from "../../messages/index.ts";
import type { Finding } from "../../services/doctor.ts";
import { findingText } from "../findings.ts";
import type { Prompter } from "./prompter.ts";

/** What every step of the setup works with. */
export interface InitContext {
  readonly prompter: Prompter;
  readonly messages: Messages;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

export const say = ({ messages }: InitContext, key: string, args?: MessageArgs): string => messages.plain(key, args);

const kinds = { ok: "success", warning: "warning", failed: "error", skipped: "info" } as const;

/** Shows what a trial has found. */
export function tellFinding({ prompter, messages }: InitContext, finding: Finding): void {
  prompter.tell(redact(findingText(finding, messages)), kinds[finding.status]);
}

/**
 * Asks and tries until it works, or until the person keeps an answer that does not (a database that is not there
 * yet): `doctor` tells about it later.
 */
export async function askAndTry<T>(
  context: InitContext,
  ask: () => Promise<T>,
  attempt: (answer: T) => Promise<Finding>,
): Promise<T> {
  for (;;) {
    const answer = await ask();
    const finding = await context.prompter.during(say(context, "init-trying"), () => attempt(answer));
    context.signal.throwIfAborted();
    tellFinding(context, finding);
    if (finding.status !== "failed") return answer;
    if (await context.prompter.confirm(say(context, "init-keep-anyway"), false)) return answer;
  }
}
