import { endsOn, type LateCause, type PowerOrder } from "../../core/power.ts";
import type { Signal } from "../../core/signal.ts";

const fingerprintOf = ({ server }: PowerOrder): string => `power:${server}`;

/** That a server has not come back, or not gone off, in time. */
export function lateSignal(order: PowerOrder): Signal {
  const { server, action, late, backBy, intent } = order;
  const minutes = Math.round((Date.parse(backBy ?? "") - Date.parse(intent?.at ?? "")) / 60_000);
  const cause = late?.cause ?? "api";
  return {
    source: "power",
    fingerprint: fingerprintOf(order),
    status: "firing",
    severity: "critical",
    title: { key: titleOf(action, cause), args: { server, minutes } },
    text: { key: `power-late-text-${cause}`, args: { server } },
    labels: { server, action, order: order.id },
    ...(order.consoleUrl === undefined ? {} : { links: [{ kind: "console", url: order.consoleUrl }] }),
    ...(late ? { startsAt: late.at } : {}),
    repeats: false,
  };
}

function titleOf(action: PowerOrder["action"], cause: LateCause): string {
  if (cause === "running") return "power-late-title-running";
  return endsOn(action) ? "power-late-title" : "power-late-title-off";
}

/** It is there after all. */
export function overSignal(order: PowerOrder, now: Date): Signal {
  const signal = lateSignal(order);
  const text = {
    key: endsOn(order.action) ? "power-late-over" : "power-late-over-off",
    args: { server: order.server },
  };
  return { ...signal, status: "resolved", text, endsAt: now.toISOString() };
}
