import type { Config } from "../../app/config.ts";
import { type Approval, type ApprovalError, type ApprovalStep, isOver, type VoidReason } from "../../core/approval.ts";
import { voided } from "../../core/approval-decisions.ts";
import { begin, finish, progressed, takeOver } from "../../core/approval-execution.ts";
import { AppError, toAppError } from "../../core/errors.ts";
import type { Clock, Lease } from "../../core/ports.ts";
import type { Logger } from "../../lib/logger.ts";
import { redact, redactText } from "../../lib/redaction.ts";
import { redisWrite } from "../../lib/resilience.ts";
import type { JobContext, JobOutcome } from "../../queue/contracts.ts";
import type { ApprovalStates } from "../../state/approvals.ts";
import type { Leases } from "../../state/leases.ts";
import type { ActionContract, ActionContracts, ActionHandler, ActionHandlers } from "./actions.ts";
import { momentOf } from "./moment.ts";

export interface ApprovalRunnerDeps<C extends ActionContracts> {
  readonly config: Config;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly host: string;
  readonly leases: Leases;
  readonly approvalStates: ApprovalStates;
  readonly actions: C;
  readonly actionHandlers: ActionHandlers<C>;
  /** Told of one that is over: what has waited for it need not wait for the clock. */
  ended?(approval: Approval): Promise<void>;
}

const waitForOtherMs = 1000;
/** A target that cannot be looked at now is looked at again, until the approval expires. */
const lookAgainMs = 3000;

/**
 * Carries out what was approved, once: looks at the target again, records that it begins, and only then calls the
 * action's handler. Whoever comes after a worker that was killed goes on, or reports it, as the action's contract says.
 */
export class ApprovalRunner<C extends ActionContracts> {
  readonly #deps: ApprovalRunnerDeps<C>;

  constructor(deps: ApprovalRunnerDeps<C>) {
    this.#deps = deps;
  }

  async execute(id: string, job: JobContext): Promise<JobOutcome> {
    const { approvalStates, leases, config } = this.#deps;
    // Lost before anybody else can have it: what is dangerous is never done by two at a time.
    const options = { ttlMs: config.worker.lease, holder: id };
    const lease = await leases.tryAcquire(`approval:${id}`, options);
    if (!lease) return { later: waitForOtherMs };
    await using held = lease;
    const stored = await approvalStates.read(id);
    const approval = stored?.value;
    if (approval?.status !== "approved" && approval?.status !== "executing") return outcome(id, approval);
    const work = new Work(this.#deps, id, held, job);
    return approval.status === "approved" ? await work.begin(approval) : await work.goOn(approval);
  }
}

function outcome(id: string, approval: Approval | undefined): JobOutcome {
  return { done: { approval: id, status: approval?.status ?? "unknown" } };
}

interface Action {
  readonly contract: ActionContract;
  readonly handler: ActionHandler<ActionContract>;
  readonly args: unknown;
}

/** One worker's attempt. */
class Work<C extends ActionContracts> {
  readonly #deps: ApprovalRunnerDeps<C>;
  readonly #id: string;
  readonly #lease: Lease;
  readonly #job: JobContext;
  readonly #signal: AbortSignal;

  constructor(deps: ApprovalRunnerDeps<C>, id: string, lease: Lease, job: JobContext) {
    this.#deps = deps;
    this.#id = id;
    this.#lease = lease;
    this.#job = job;
    this.#signal = AbortSignal.any([job.signal, lease.signal]);
  }

  async begin(approval: Approval): Promise<JobOutcome> {
    const action = this.#action(approval);
    if (typeof action === "string") return await this.#void(action);
    let identity: Approval["identity"];
    try {
      identity = await action.handler.identify(action.args, this.#signal);
    } catch (cause) {
      const error = toAppError(cause);
      if (this.#signal.aborted) throw cause;
      if (error.permanent) return await this.#void("gone", errorOf(error));
      this.#deps.logger.warn({ approval: this.#id, error: error.message }, "the target cannot be looked at now");
      // Expired meanwhile: that is for the clock to say.
      return { later: lookAgainMs };
    }
    const { config, clock } = this.#deps;
    const moment = momentOf({ config, clock }, approval.policyName);
    const begun = await this.#update((current) => begin(current, identity, this.#worker(), moment));
    if (begun.approval.status !== "executing") return outcome(this.#id, begun.approval);
    // A worker that had lost the right to it was a moment faster.
    if (begun.approval.execution?.fence !== this.#lease.token) return await this.goOn(begun.approval);
    return await this.#execute(action, begun.approval);
  }

  /** A worker has begun it and was lost. */
  async goOn(approval: Approval): Promise<JobOutcome> {
    const action = this.#action(approval);
    const interrupted = typeof action === "string" ? "report" : action.contract.interrupted;
    const taken = await this.#update((current) => takeOver(current, interrupted, this.#worker(), this.#now()));
    if (taken.approval.status !== "executing" || typeof action === "string") return outcome(this.#id, taken.approval);
    return await this.#execute(action, taken.approval);
  }

  async #execute({ contract, handler, args }: Action, approval: Approval): Promise<JobOutcome> {
    const { logger } = this.#deps;
    const attempt = approval.execution?.attempt ?? 1;
    const log = { approval: this.#id, action: approval.action, target: approval.target, attempt };
    logger.warn(log, "an approved action begins");
    const note = async (text: Parameters<typeof progressed>[1]): Promise<void> => {
      await this.#update((current) => ({ approval: progressed(current, redactText(text)), events: [] }), "progress");
    };
    let ended: Parameters<typeof finish>[1];
    try {
      this.#signal.throwIfAborted();
      const said = await handler.execute(args, {
        approval,
        attempt,
        fence: this.#lease.token,
        signal: this.#signal,
        note,
      });
      ended = said ? { note: redactText(said) } : {};
    } catch (cause) {
      // Handed back, or somebody else is at it: whoever comes finds it begun.
      if (this.#job.signal.aborted || !this.#lease.isHeld()) throw cause;
      const error = toAppError(cause);
      // Its handler has lost a right of its own, or could not put on record how it stands: whoever comes goes on from there.
      if (contract.interrupted === "resume" && (error.code === "lease-lost" || error.code === "redis")) throw error;
      ended = { error: errorOf(error) };
    }
    const { approval: over } = await this.#update((current) => finish(current, ended, this.#now()));
    logger.warn({ ...log, status: over.status }, "an approved action has ended");
    return outcome(this.#id, over);
  }

  #action({ action, args }: Approval): Action | VoidReason {
    const contracts: ActionContracts = this.#deps.actions;
    const handlers: Readonly<Record<string, ActionHandler<ActionContract>>> = this.#deps.actionHandlers;
    const contract = Object.hasOwn(contracts, action) ? contracts[action] : undefined;
    const handler = Object.hasOwn(handlers, action) ? handlers[action] : undefined;
    if (!contract || !handler) return "action";
    const parsed = contract.args.safeParse(args);
    return parsed.success ? { contract, handler, args: parsed.data } : "arguments";
  }

  async #void(why: VoidReason, error?: ApprovalError): Promise<JobOutcome> {
    const more = error ? { error } : {};
    const { approval } = await this.#update((current) =>
      current.status === "approved"
        ? voided(current, why, { now: this.#now() }, more)
        : { approval: current, events: [] },
    );
    return outcome(this.#id, approval);
  }

  /** On record before the work goes on: tried again for about a minute. What a newer worker has taken over is left alone. */
  async #update(
    change: (approval: Approval) => ApprovalStep,
    urgency: "reply" | "progress" = "reply",
  ): Promise<ApprovalStep> {
    const fenced = (current: Approval): ApprovalStep => {
      if ((current.execution?.fence ?? 0) > this.#lease.token)
        throw new AppError("lease-lost", `another worker has taken approval ${this.#id} over`, { permanent: false });
      return change(current);
    };
    const { approvalStates } = this.#deps;
    const step = await redisWrite.execute(() => approvalStates.update(this.#id, urgency, this.#now(), fenced));
    if (step.events.length > 0 && isOver(step.approval)) await this.#deps.ended?.(step.approval);
    return step;
  }

  #worker(): { readonly fence: number; readonly host: string } {
    return { fence: this.#lease.token, host: this.#deps.host };
  }

  #now(): Date {
    return this.#deps.clock.now();
  }
}

function errorOf({ code, message, text }: AppError): ApprovalError {
  return { code, message: redact(message), ...(text ? { text: redactText(text) } : {}) };
}
