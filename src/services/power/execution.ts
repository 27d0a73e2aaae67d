import { setTimeout as sleep } from "node:timers/promises";
import type { ServerConfig } from "../../app/config.ts";
import type { Identity } from "../../core/approval.ts";
import { AppError, surelyNotDone, toAppError } from "../../core/errors.ts";
import { endsOn, type PowerAction, type PowerError, type PowerIntent, type PowerOrder } from "../../core/power.ts";
import { evidenceOf } from "../../core/power-evidence.ts";
import type { Text } from "../../core/text.ts";
import type { Alerts } from "../alerts/alerts.ts";
import type { ActionContext } from "../approvals/actions.ts";
import { beginHold, endHold } from "./hold.ts";
import { identityOf, type PowerFacts, type PowerLookDeps, powerFor, readFacts, recoveryAnswers } from "./look.ts";
import { answersNow } from "./seeing.ts";
import { targetOf } from "./servers.ts";
import { aliasesOf } from "./surroundings.ts";
import { powerEntry } from "./words.ts";

export interface PowerExecutionDeps extends Omit<PowerLookDeps, "source"> {
  readonly alerts: Alerts;
  readonly host: string;
  /** Puts the job that follows the server into its queue. */
  readonly powerOrders: { enqueue(order: PowerOrder): Promise<boolean> };
  /** Waits between two looks. Default: by the machine's clock. */
  readonly pause?: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** What an approval is about. */
export interface PowerArgs {
  readonly order: string;
  readonly server: string;
  readonly action: PowerAction;
}

/** For one question to the provider, its waiting for a turn included; milliseconds. */
const askMs = 30_000;
/** Between two looks for what became of an order. */
const lookEveryMs = 5000;
/** What was carried out shows within this time. */
const showsWithinMs = 40_000;
/** After this nobody can tell. */
const giveUpMs = 180_000;
/** The provider is asked at most so often, and again only when it has surely not done it. */
const mostTries = 2;

/** The target of an order as it is now, by the facts that were approved. @throws AppError */
export async function identifyPower(deps: PowerExecutionDeps, args: PowerArgs, signal: AbortSignal): Promise<Identity> {
  const order = await deps.powerStates.get(args.order);
  const { server, power } = powerFor(deps, args);
  const told = await readFacts(power, server, AbortSignal.any([signal, AbortSignal.timeout(askMs)]));
  const withLog = order.look?.identity.state !== undefined;
  // Without its log nobody can tell what was done to it since.
  if (withLog && !told.log)
    throw new AppError("provider-unreachable", `the action log of ${server.name} cannot be read`, { permanent: false });
  return identityOf(server, told, withLog);
}

/**
 * Asks the provider, once: the intent is on record before, and where the answer was lost, with its worker or on the way,
 * the server and its action log are looked at before anything else is done.
 */
export async function executePower(
  deps: PowerExecutionDeps,
  args: PowerArgs,
  context: ActionContext,
): Promise<Text | undefined> {
  return await new PowerExecution(deps, args, context).run();
}

type ExecutionEvent = "ordered" | "ordered-again" | "unclear" | "failed";

class PowerExecution {
  readonly #deps: PowerExecutionDeps;
  readonly #args: PowerArgs;
  readonly #context: ActionContext;

  constructor(deps: PowerExecutionDeps, args: PowerArgs, context: ActionContext) {
    this.#deps = deps;
    this.#args = args;
    this.#context = context;
  }

  async run(): Promise<Text | undefined> {
    let order = await this.#begin();
    for (;;) {
      if (order.status !== "ordering") return await this.#end(order);
      order = order.intent === undefined ? await this.#intend(order, 1) : await this.#afterwards(order);
    }
  }

  /** The server is this order's from now on. @throws AppError conflict when it is another one's. */
  async #begin(): Promise<PowerOrder> {
    const { powerStates } = this.#deps;
    const { order: id, server } = this.#args;
    const { approval, fence } = this.#context;
    const order = await this.#record((current) => {
      if (current.approval !== undefined && current.approval !== approval.id) return current;
      if (!["ready", "asked", "ordering"].includes(current.status)) return { ...current, fence };
      const { expiresAt: _, ...rest } = current;
      return { ...rest, status: "ordering", approval: approval.id, fence };
    });
    if (order.approval !== approval.id || !(order.status === "ordering" || order.intent !== undefined)) {
      const text = { key: "error-power-over", args: { id } };
      throw new AppError("conflict", `power order ${id} is ${order.status}`, { text });
    }
    if (order.status !== "ordering") return order;
    const other = await powerStates.claim(server, id);
    if (!other) return order;
    const text = { key: "error-power-busy", args: { server, id: other.id } };
    const error = { code: "conflict", message: `${server} is busy with power order ${other.id}`, text };
    return await this.#fail(error);
  }

  /** Puts on record that the provider is about to be asked, and asks it. */
  async #intend(order: PowerOrder, tries: number): Promise<PowerOrder> {
    const { clock, powerStates, host, logger, config } = this.#deps;
    const { server, power } = powerFor(this.#deps, order);
    const told = await this.#look();
    if (!told) throw new AppError("provider-unreachable", `${server.name} cannot be looked at`, { permanent: false });
    if (tries === 1 && (await this.#hasComeBack(order, server, told)))
      return await this.#fail({ code: "conflict", message: "it answers again", text: { key: recoveryAnswers } });
    const now = clock.now();
    const intent: PowerIntent = {
      at: now.toISOString(),
      status: told.facts.status ?? "unknown",
      ...(told.log ? { logId: told.log[0]?.id ?? "" } : {}),
      tries,
    };
    const intended = await this.#update(
      (current) => ({ ...current, intent, backBy: new Date(now.getTime() + config.recovery.backWithin).toISOString() }),
      tries === 1 ? "ordered" : "ordered-again",
    );
    await beginHold(this.#deps, intended);
    // Where it goes off, that is what was wanted: also when this worker is lost with the answer.
    if (!endsOn(order.action)) await powerStates.wantOff(server.name, order.id, now);
    this.#context.signal.throwIfAborted();
    logger.warn({ power: order.id, server: server.name, action: order.action, tries, host }, "asking the provider");
    try {
      await power.order(targetOf(server), order.action, this.#limited());
    } catch (cause) {
      this.#context.signal.throwIfAborted();
      const error = toAppError(cause, "provider-unreachable");
      logger.warn({ power: order.id, code: error.code, error: error.message }, "the provider has not said yes");
      const { code, message, text } = error;
      if (surelyNotDone(error)) return await this.#fail({ code, message, ...(text ? { text } : {}) });
      return intended;
    }
    return await this.#ordered();
  }

  /** Of what was wanted only because it did not answer: whoever has confirmed it may have read that half an hour before. */
  async #hasComeBack(order: PowerOrder, server: ServerConfig, { facts }: PowerFacts): Promise<boolean> {
    if (order.trigger !== "recovery") return false;
    return await answersNow(this.#deps, server, aliasesOf(server, facts), this.#limited());
  }

  /** It was asked and has not answered, or who asked it is gone: looks what has become of it. */
  async #afterwards(order: PowerOrder): Promise<PowerOrder> {
    const { intent, action } = order;
    if (!intent) return order;
    const { signal } = this.#context;
    await this.#context.note({ key: "power-note-looking", args: { server: order.server } });
    let quiet = 0;
    let waited = 0;
    for (; waited <= giveUpMs; waited += lookEveryMs) {
      const told = await this.#look();
      const evidence = told ? evidenceOf(action, intent, { status: told.facts.status, log: told.log }) : "unknown";
      if (evidence === "done") return await this.#ordered();
      quiet = evidence === "not-yet" ? quiet + lookEveryMs : 0;
      // Again and again it was there to be seen, and was not: it was never carried out.
      if (quiet > showsWithinMs) {
        if (intent.tries < mostTries) return await this.#intend(order, intent.tries + 1);
        const text = { key: "error-power-ignored", args: { server: order.server } };
        const message = `the provider takes the order for ${order.server} and does nothing`;
        return await this.#fail({ code: "provider-failed", message, text });
      }
      const { pause = sleepFor } = this.#deps;
      await pause(lookEveryMs, signal);
    }
    return await this.#update((current) => ({ ...current, status: "unclear" }), "unclear");
  }

  async #look(): Promise<PowerFacts | undefined> {
    const { signal } = this.#context;
    const { server, power } = powerFor(this.#deps, this.#args);
    try {
      return await readFacts(power, server, this.#limited());
    } catch (error) {
      signal.throwIfAborted();
      const { message } = toAppError(error);
      this.#deps.logger.warn({ power: this.#args.order, error: message }, "the server cannot be looked at now");
      return undefined;
    }
  }

  async #ordered(): Promise<PowerOrder> {
    const { clock, powerStates } = this.#deps;
    const at = clock.now().toISOString();
    if (endsOn(this.#args.action)) await powerStates.wantNothing(this.#args.server);
    return await this.#update((current) =>
      current.status === "ordering"
        ? { ...current, status: "following", stages: { ...current.stages, ordered: current.intent?.at ?? at } }
        : current,
    );
  }

  /** Surely nothing was done. */
  async #fail(error: PowerError): Promise<PowerOrder> {
    const finishedAt = this.#deps.clock.now().toISOString();
    const failed = await this.#update((current) => ({ ...current, status: "failed", error, finishedAt }), "failed");
    return failed;
  }

  /** Of what was never done nothing follows: alerts are heard, and nothing is expected. */
  async #undone(order: PowerOrder): Promise<void> {
    await this.#deps.powerStates.wantNothing(order.server, order.id);
    await endHold(this.#deps, order);
  }

  /** What the approval's card says of it. @throws AppError where it has not worked, or nobody can tell. */
  async #end(order: PowerOrder): Promise<Text | undefined> {
    const { server, error, status, action } = order;
    if (status === "failed") {
      // Also when its worker was killed right after it had put that on record.
      await this.#undone(order);
      const { message = "it has failed", text } = error ?? {};
      throw new AppError("provider-failed", message, text ? { text } : {});
    }
    await this.#deps.powerOrders.enqueue(order);
    if (status === "unclear") {
      const text = { key: "error-power-unclear", args: { server } };
      throw new AppError("provider-failed", `nobody can tell whether ${action} of ${server} was carried out`, { text });
    }
    return { key: "power-note-ordered", args: { server } };
  }

  #limited(): AbortSignal {
    return AbortSignal.any([this.#context.signal, AbortSignal.timeout(askMs)]);
  }

  /** Changes what is still this approval's. @throws AppError `lease-lost` when it is not. */
  async #update(change: (order: PowerOrder) => PowerOrder, event?: ExecutionEvent): Promise<PowerOrder> {
    const { approval } = this.#context;
    const own = (current: PowerOrder): PowerOrder => {
      if (current.approval === approval.id) return change(current);
      throw new AppError("lease-lost", `power order ${current.id} was asked for anew`, { permanent: false });
    };
    return await this.#record(own, event);
  }

  async #record(change: (order: PowerOrder) => PowerOrder, event?: ExecutionEvent): Promise<PowerOrder> {
    const { powerStates, clock, host } = this.#deps;
    const now = clock.now();
    const { approval, fence } = this.#context;
    const by = approval.requestedBy;
    const entries = (order: PowerOrder) =>
      event ? [powerEntry(order, event, now, { by, host, ...(order.error ? { why: order.error.code } : {}) })] : [];
    return await powerStates.record(this.#args.order, "reply", now, change, fence, entries);
  }
}

async function sleepFor(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal });
}
