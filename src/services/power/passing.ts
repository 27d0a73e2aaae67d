import type { Config } from "../../app/config.ts";
import type { Approval } from "../../core/approval.ts";
import type { Clock } from "../../core/ports.ts";
import type { PowerOrder } from "../../core/power.ts";
import type { PowerStates } from "../../state/power.ts";
import type { ServerStates } from "../../state/servers.ts";
import { findServer } from "./servers.ts";
import { settledBy } from "./settle.ts";
import { powerEntry } from "./words.ts";

interface PassingDeps {
  readonly powerStates: PowerStates;
  readonly clock: Clock;
}

interface WishDeps {
  readonly config: Config;
  readonly powerStates: PowerStates;
  readonly serverStates: Pick<ServerStates, "readAll">;
}

/** What the end of its approval makes of it, put on record. */
export async function settleOrder(
  deps: PassingDeps,
  order: PowerOrder,
  approval: Approval | undefined,
): Promise<PowerOrder> {
  const { powerStates, clock } = deps;
  const now = clock.now();
  if (settledBy(order, approval, now) === order) return order;
  const change = (current: PowerOrder): PowerOrder =>
    current.approval === order.approval ? settledBy(current, approval, now) : current;
  return await powerStates.update(order.id, "reply", now, change, undefined, (current) =>
    current.status === "failed" || current.status === "unclear"
      ? [powerEntry(current, current.status, now, current.error ? { why: current.error.code } : {})]
      : [],
  );
}

/** Nobody has looked, or nobody has confirmed it, in time. */
export function isWaitOver({ status, expiresAt }: PowerOrder, now: Date): boolean {
  const isWaiting = status === "looking" || status === "ready";
  return isWaiting && expiresAt !== undefined && Date.parse(expiresAt) <= now.getTime();
}

/** Its time is over, unless somebody was faster. */
export async function expireOrder(deps: PassingDeps, id: string, now: Date): Promise<PowerOrder> {
  const change = (current: PowerOrder): PowerOrder =>
    isWaitOver(current, now) ? { ...current, status: "expired", finishedAt: now.toISOString() } : current;
  return await deps.powerStates.update(id, "reply", now, change, undefined, (current) => [
    powerEntry(current, "expired", now),
  ]);
}

/** A server that was switched off here, and that the polls see on again, is wanted to be on. */
export async function renewWishes({ powerStates, serverStates, config }: WishDeps): Promise<void> {
  const wishes = await powerStates.wishes();
  const states = await serverStates.readAll([...wishes.keys()]);
  for (const [server, since] of wishes) {
    const state = states.get(server);
    if (!findServer(config, server)) await powerStates.wantNothing(server);
    else if (state?.status && state.lookedAt > since) await powerStates.seen(server, state.status, state.lookedAt);
  }
}
