import type { Config } from "../../app/config.ts";
import type { Approval } from "../../core/approval.ts";
import type { Clock } from "../../core/ports.ts";
import type { Restoration } from "../../core/restoration.ts";
import { isOver } from "../../core/restoration-life.ts";
import type { RestorationStates } from "../../state/restorations.ts";
import type { Approvals } from "../approvals/approvals.ts";
import { type RestoreEvent, restoreEntry } from "./entries.ts";
import { settledBy } from "./settle.ts";

export interface FollowingDeps {
  readonly config: Pick<Config, "backups">;
  readonly clock: Clock;
  readonly restorationStates: RestorationStates;
  readonly approvals: Pick<Approvals, "read" | "settled">;
}

/** What becomes of restores by time and by what is decided elsewhere. */
export class Following {
  readonly #deps: FollowingDeps;
  readonly #enqueue: (restoration: Restoration) => Promise<boolean>;

  constructor(deps: FollowingDeps, enqueue: (restoration: Restoration) => Promise<boolean>) {
    this.#deps = deps;
    this.#enqueue = enqueue;
  }

  /** An approval has ended: what has waited for it learns that. */
  async settle(approval: Approval): Promise<void> {
    if (!["restore", "restore-undo", "restore-globals"].includes(approval.action)) return;
    const { restoration: id } = Object(approval.args) as { readonly restoration?: string };
    const restoration = id === undefined ? undefined : await this.#deps.restorationStates.read(id);
    if (restoration && awaitedApproval(restoration) === approval.id) await this.#settle(restoration, approval);
  }

  /** What was not decided in time, approvals that have ended, and work whose job is gone. Resolves with what was enqueued. */
  async step(): Promise<string[]> {
    const { restorationStates, approvals, config, clock } = this.#deps;
    const enqueued: string[] = [];
    for (const open of await restorationStates.unsettled()) {
      const awaited = awaitedApproval(open);
      const approval = awaited === undefined ? undefined : await approvals.read(awaited);
      const now = clock.now();
      let current = awaited === undefined ? open : await this.#settle(open, approval && approvals.settled(approval));
      if (isLookOver(current, now)) current = await this.#expire(current.id, now);
      if (await this.#enqueue(current)) enqueued.push(current.id);
    }
    for (const { name } of config.backups) await restorationStates.prune(name);
    return enqueued;
  }

  async #settle(restoration: Restoration, approval: Approval | undefined): Promise<Restoration> {
    const { restorationStates, clock } = this.#deps;
    const now = clock.now();
    if (settledBy(restoration, approval, now) === restoration) return restoration;
    const isSame = (current: Restoration): boolean => awaitedApproval(current) === awaitedApproval(restoration);
    const settled = await restorationStates.update(
      restoration.id,
      "reply",
      now,
      (current) => (isSame(current) ? settledBy(current, approval, now) : current),
      undefined,
      // Who has said no is in the entries of the approval; that it came to nothing is said here.
      (current) =>
        isOver(current) && current.status !== "done"
          ? [restoreEntry(current, eventOf(current.status), now, current.error ? { why: current.error.code } : {})]
          : [],
    );
    await this.#enqueue(settled);
    return settled;
  }

  async #expire(id: string, now: Date): Promise<Restoration> {
    return await this.#deps.restorationStates.update(
      id,
      "reply",
      now,
      (current) =>
        isLookOver(current, now) ? { ...current, status: "expired", finishedAt: now.toISOString() } : current,
      undefined,
      (current) => [restoreEntry(current, "expired", now)],
    );
  }
}

function awaitedApproval({ status, approval, undo }: Restoration): string | undefined {
  if (status === "asked" || status === "running") return approval;
  return undo?.status === "asked" || undo?.status === "running" ? undo.approval : undefined;
}

/** Nobody has looked, or nobody has confirmed it, in time. */
function isLookOver({ status, expiresAt }: Restoration, now: Date): boolean {
  const isWaiting = status === "looking" || status === "ready";
  return isWaiting && expiresAt !== undefined && Date.parse(expiresAt) <= now.getTime();
}

function eventOf(status: Restoration["status"]): RestoreEvent {
  return status === "cancelled" || status === "expired" ? status : "failed";
}
