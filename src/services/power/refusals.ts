import type { Config } from "../../app/config.ts";
import { isUndecided, type PowerOrder, type PowerStatus } from "../../core/power.ts";
import type { Person } from "../../core/run.ts";
import type { Text } from "../../core/text.ts";

/** What people decide about an order. `next`: what is tried after one that has come to nothing. */
export type PowerDecision = "confirm" | "cancel" | "look" | "next";

const ended: ReadonlySet<PowerStatus> = new Set(["refused", "expired", "cancelled", "failed"]);
const stuck: ReadonlySet<PowerStatus> = new Set(["late", "lost", "unknown"]);

/** Why somebody's decision would not count at a moment; undefined: it would. */
export function refusalOf(
  { telegram }: Pick<Config, "telegram">,
  order: PowerOrder,
  what: PowerDecision,
  by: Person,
  now: Date,
): Text | undefined {
  const { status, requestedBy: asked } = order;
  const isTheirs = asked === undefined || asked.id === by.id;
  const isAdmin = telegram?.users.find(({ id }) => id === by.id)?.role === "admin";
  const unlessTheirs = (are: boolean): Text | undefined =>
    are ? undefined : { key: "power-refused-not-yours", args: named(asked) };
  switch (what) {
    case "confirm":
      // Whoever confirms has asked for it.
      return status === "ready" && !isExpired(order, now) ? unlessTheirs(isTheirs) : { key: "power-refused-confirm" };
    case "cancel":
      return isUndecided(order) ? unlessTheirs(isTheirs || isAdmin) : { key: "power-refused-cancel" };
    case "look":
      if (status === "ready") return unlessTheirs(isTheirs || isAdmin);
      return ended.has(status) ? undefined : { key: "power-refused-look" };
    case "next":
      return stuck.has(status) && order.next === undefined ? undefined : { key: "power-refused-next" };
  }
}

function isExpired({ expiresAt }: PowerOrder, now: Date): boolean {
  return expiresAt !== undefined && Date.parse(expiresAt) <= now.getTime();
}

export function named(person: Person | undefined): { readonly by: string } {
  return { by: person?.name ?? "Vakhta" };
}
