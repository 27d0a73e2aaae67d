import { endsOn, type LateCause, type PowerOrder, type PowerStage, stagesOf } from "./power.ts";
import type { LookFailure, ServerReading, ServerStatus } from "./server.ts";
import type { Text } from "./text.ts";

/** What a look at a server on its way gave. */
export interface PowerObservation {
  readonly at: Date;
  /** By its provider's account; undefined: that could not be asked, `blind` says why. */
  readonly status?: ServerStatus | undefined;
  readonly blind?: Text | undefined;
  /** What the server itself, or its statistics, have told. */
  readonly reading?: ServerReading | undefined;
  readonly failure?: LookFailure | undefined;
  /** Where nothing else tells it: whether the order was carried out after all. */
  readonly happened?: boolean | undefined;
  /** Open incidents of the server, those that are held back included. */
  readonly alerts: number;
}

/** One that is on and answers all the time has come back between two looks after so long; milliseconds. */
export const unseenMs = 90_000;
/** Alerts get so long to notice that it is back, before those that stay are shown; milliseconds. */
export const settleMs = 10 * 60_000;
/** It is well only when it is still well after so long: an alert may be on its way; milliseconds. */
const steadyMs = 20_000;
/** Clocks of servers may be behind by so much; milliseconds. */
const clockToleranceMs = 5 * 60_000;
/** What is not back is watched for so long; milliseconds. */
export const watchMs = 24 * 3_600_000;

/** What a look makes of an order that is being followed. The same object when it makes nothing. */
export function progressed(order: PowerOrder, look: PowerObservation): PowerOrder {
  const seen = withSight(order, look);
  const moved = endsOn(order.action) ? comingBack(seen, look) : goingOff(seen, look);
  const begun = moved.status === "unclear" ? decided(moved, look) : moved;
  return ended(begun, look);
}

function at({ at: time }: PowerObservation): string {
  return time.toISOString();
}

/** Notes what was reached, and when. */
function reach(order: PowerOrder, stage: PowerStage, look: PowerObservation): PowerOrder {
  if (order.stages[stage] !== undefined || !stagesOf(order.action).includes(stage)) return order;
  return { ...order, stages: { ...order.stages, [stage]: at(look) } };
}

function withSight(order: PowerOrder, look: PowerObservation): PowerOrder {
  const { blindSince, blindText: _, ...rest } = order;
  if (look.status === undefined) {
    const blindText = look.blind;
    return { ...order, blindSince: blindSince ?? at(look), ...(blindText ? { blindText } : {}), alerts: look.alerts };
  }
  const away = look.status === "on" ? {} : { awayAt: at(look) };
  return { ...rest, ...away, seen: { at: at(look), status: look.status }, alerts: look.alerts };
}

function goingOff(order: PowerOrder, look: PowerObservation): PowerOrder {
  if (look.status === "stopping") return reach(order, "going-down", look);
  return look.status === "off" ? reach(order, "down", look) : order;
}

function comingBack(order: PowerOrder, look: PowerObservation): PowerOrder {
  const { status } = look;
  const isStart = order.action === "start";
  switch (status) {
    case "stopping":
    case "rebooting":
      return reach(order, isStart ? "booting" : "going-down", look);
    case "off":
      return isStart ? order : reach(order, "down", look);
    case "starting":
      return reach(order, "booting", look);
    case "on":
    // Its provider may be away while the server is not.
    case undefined:
      return answers(order, look);
    default:
      return order;
  }
}

/** It is on: whether that is after what was ordered, and whether the system is there. */
function answers(order: PowerOrder, look: PowerObservation): PowerOrder {
  const { reading, failure, status } = look;
  const ordered = Date.parse(order.stages.ordered ?? order.intent?.at ?? at(look));
  const isBootedAnew = reading?.bootedAt !== undefined && reading.bootedAt.getTime() > ordered;
  const hasLeft = order.awayAt !== undefined || order.action === "start";
  // It went down and came up between two looks: its values have been new for longer than it can have been on its way out.
  const isUnseen = order.status !== "unclear" && reading !== undefined && reading.at.getTime() > ordered + unseenMs;
  if (status === undefined && !isBootedAnew) return order;
  if (wasNeverDown(order, look)) return order;
  if (!(hasLeft || isBootedAnew || isUnseen)) return order;
  const booting = status === "on" && (hasLeft || isBootedAnew) ? reach(order, "booting", look) : order;
  if (!reading || failure !== undefined) return booting;
  const isFresh = reading.at.getTime() > Date.parse(order.awayAt ?? new Date(ordered).toISOString());
  return isFresh || isBootedAnew ? reach(booting, "answering", look) : booting;
}

/** It says itself that it has been running since before it was ordered. */
function wasNeverDown(order: PowerOrder, { at: now, reading }: PowerObservation): boolean {
  const ordered = Date.parse(order.stages.ordered ?? order.intent?.at ?? now.toISOString());
  return reading?.bootedAt !== undefined && reading.bootedAt.getTime() < ordered - clockToleranceMs;
}

/** Whether it was carried out at all is seen by its consequences. */
function decided(order: PowerOrder, look: PowerObservation): PowerOrder {
  const { stages } = order;
  const hasMoved = stages["going-down"] ?? stages.down ?? stages.booting ?? stages.answering;
  return look.happened || hasMoved !== undefined ? { ...order, status: "following" } : order;
}

function ended(order: PowerOrder, look: PowerObservation): PowerOrder {
  const { status, backBy, late } = order;
  const now = look.at.getTime();
  const isLate = backBy !== undefined && now >= Date.parse(backBy);
  if (status === "unclear") return isLate ? { ...order, status: "unknown", finishedAt: at(look) } : order;
  const there = arrived(order, look);
  if (there) return there;
  if (!isLate) return order;
  const cause = lateCause(order, look);
  const since = late?.at ?? at(look);
  if (now - Date.parse(since) >= watchMs) return { ...order, status: "lost", finishedAt: at(look) };
  if (status === "late" && late?.cause === cause) return order;
  return { ...order, status: "late", late: { at: since, cause } };
}

/** What is made of a server that is where it is to be; undefined: it is not there yet. */
function arrived(order: PowerOrder, look: PowerObservation): PowerOrder | undefined {
  const { status, stages, action } = order;
  const finished = { status: "done", finishedAt: at(look) } as const;
  if (!endsOn(action)) return stages.down === undefined ? undefined : { ...order, ...finished };
  if (stages.answering === undefined) return undefined;
  const sinceMs = look.at.getTime() - Date.parse(stages.answering);
  // Late as it was, it is back.
  const back: PowerOrder = status === "late" ? { ...order, status: "following" } : order;
  const isWell = look.alerts === 0 && look.failure === undefined && sinceMs >= steadyMs;
  if (isWell) return { ...reach(back, "green", look), ...finished };
  return sinceMs >= settleMs ? { ...back, ...finished } : back;
}

function lateCause(order: PowerOrder, look: PowerObservation): LateCause {
  const { status } = look;
  if (status === undefined) return "api";
  if (!endsOn(order.action)) return status === "on" ? "on" : "stuck";
  if (status === "off") return "off";
  if (status !== "on") return "stuck";
  return look.failure === undefined && wasNeverDown(order, look) ? "running" : "silent";
}

/** Whether an order has changed in a way that the card or the next look has to know of. */
export function isNews(before: PowerOrder, after: PowerOrder): boolean {
  const told = ({ seen, alerts, ...rest }: PowerOrder): string =>
    JSON.stringify([rest.awayAt === undefined ? rest : { ...rest, awayAt: "" }, seen?.status, alerts]);
  return told(before) !== told(after);
}
