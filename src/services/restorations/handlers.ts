import { isDeepStrictEqual } from "node:util";
import { AppError } from "../../core/errors.ts";
import type { Restoration } from "../../core/restoration.ts";
import { isOver } from "../../core/restoration-life.ts";
import type { Text } from "../../core/text.ts";
import type { ActionHandlers, actions } from "../approvals/actions.ts";
import { manifestOf } from "./copies.ts";
import type { RestoreDeps } from "./deps.ts";
import { engineOf, lookWith } from "./engine.ts";
import { restoreEntry } from "./entries.ts";
import { RestoreExecution } from "./execution.ts";
import { giveRoles, rolesIdentity } from "./globals.ts";
import { argsOf } from "./ordering.ts";
import { rolesArgs } from "./roles-order.ts";
import { takeSession } from "./session.ts";
import { carryOutUndo } from "./undoing.ts";
import { undoIdentity } from "./worker.ts";

type Handlers = Pick<ActionHandlers<typeof actions>, "restore" | "restore-undo" | "restore-globals">;

/** What carries out restores, and takes them back, once they were approved. */
export function restoreHandlers(deps: RestoreDeps): Handlers {
  const { restorationStates } = deps;
  return {
    restore: {
      identify: async (args, signal) => {
        const restoration = await restorationStates.get(args.restoration);
        if (!isAwaiting(restoration) || !isDeepStrictEqual(args, argsOf(restoration))) throw notAsked(restoration);
        const { manifest, manifestSha256 } = await manifestOf(deps, restoration, signal);
        const { identity } = await lookWith(engineOf(deps, restoration), manifest, { signal });
        return { manifest: manifestSha256, ...identity };
      },
      execute: async (args, { signal, approval }): Promise<Text> => {
        const known = await restorationStates.get(args.restoration);
        await using session = await takeSession(deps, known, signal);
        const begun = await beginRestore(deps, known.id, approval.id, session.fence);
        if (begun.status !== "running") return ended(begun);
        return ended(await new RestoreExecution(deps, begun, session).run());
      },
    },
    "restore-globals": {
      identify: async (args, signal) => {
        const restoration = await restorationStates.get(args.restoration);
        const { scope } = args;
        // Who has asked for the approval may have been killed before that was on record here.
        const isSame = (restoration.scope ?? scope) === scope && isDeepStrictEqual(args, rolesArgs(restoration, scope));
        if (!isAwaiting(restoration) || !isSame) throw notAsked(restoration);
        return await rolesIdentity(deps, restoration, signal);
      },
      execute: async (args, { signal, approval, attempt }): Promise<Text> => {
        const known = await restorationStates.get(args.restoration);
        await using session = await takeSession(deps, known, signal);
        const begun = await beginRestore(deps, known.id, approval.id, session.fence);
        if (begun.status !== "running") return ended(begun);
        return ended(await giveRoles(deps, { ...begun, scope: args.scope }, session, attempt));
      },
    },
    "restore-undo": {
      identify: async (args, signal) => {
        const restoration = await restorationStates.get(args.restoration);
        if (restoration.undo?.status !== "asked") throw notAsked(restoration);
        return await undoIdentity(deps, restoration, signal);
      },
      execute: async (args, { signal, attempt }): Promise<Text> => {
        const known = await restorationStates.get(args.restoration);
        await using session = await takeSession(deps, known, signal);
        const begun = await beginUndo(deps, known.id, session.fence);
        if (begun.status !== "undoing") return ended(begun);
        return ended(await carryOutUndo(deps, begun, session, attempt));
      },
    },
  };
}

/** `ready`: whoever has asked for the approval was killed before that was on record here. */
function isAwaiting({ status }: Restoration): boolean {
  return status === "asked" || status === "ready";
}

/** Takes it: that it begins is on record before anything is done. */
async function beginRestore(
  { restorationStates, clock, host }: RestoreDeps,
  id: string,
  approval: string,
  fence: number,
): Promise<Restoration> {
  const now = clock.now();
  const isMine = (current: Restoration): boolean =>
    (isAwaiting(current) || current.status === "running") && (current.approval ?? approval) === approval;
  const change = (current: Restoration): Restoration => {
    if (!isMine(current)) return current;
    const { progress: _, expiresAt: __, ...rest } = current;
    return {
      ...rest,
      status: "running",
      phase: current.status === "running" ? current.phase : "check",
      approval,
      attempt: current.attempt + 1,
      ...(current.status === "running" ? { interruptedIn: current.phase } : {}),
      startedAt: current.startedAt ?? now.toISOString(),
      fence,
    };
  };
  return await restorationStates.record(id, "reply", now, change, fence, (current) => [
    restoreEntry(current, current.attempt > 1 ? "resumed" : "began", now, { host }),
  ]);
}

async function beginUndo({ restorationStates, clock }: RestoreDeps, id: string, fence: number): Promise<Restoration> {
  const change = (current: Restoration): Restoration =>
    current.undo?.status === "asked" || current.undo?.status === "running"
      ? { ...current, status: "undoing", fence, undo: { ...current.undo, status: "running" } }
      : current;
  return await restorationStates.record(id, "reply", clock.now(), change, fence);
}

/** What is said on the card of the approval: the restore's own one says more. */
function ended(restoration: Restoration): Text {
  const { id, status } = restoration;
  return { key: `restoration-ended-${isOver(restoration) ? status : "elsewhere"}`, args: { id } };
}

function notAsked({ id, status }: Restoration): AppError {
  return new AppError("conflict", `restore ${id} is ${status}: this is not what was agreed to`, {
    text: { key: "error-restoration-not-asked", args: { id } },
  });
}
