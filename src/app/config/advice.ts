import { patternOf } from "../../core/route.ts";
import type { Outline, RouteOutline } from "./outline.ts";
import type { Path, Problem } from "./problems.ts";
import { laterKeys } from "./schema.ts";

/** Settings that are accepted and do nothing yet, in the order of the file. */
export function unusedSettings(data: Readonly<Record<string, unknown>>): Problem[] {
  const found: Problem[] = [];
  const note = (path: Path) => found.push({ path, key: "config-warning-later", args: {} });
  for (const key of Object.keys(data)) if (laterKeys.some((later) => later === key)) note([key]);
  return found;
}

/** What is allowed and can hardly be meant. */
export function adviceOf({ alerts, backups, hooks, http }: Outline): Problem[] {
  const found: Problem[] = [];
  // Half-read routes lead to no conclusion.
  const routes = (alerts.routes ?? []).map((route) => route?.match ?? undefined);
  for (const [index, match] of routes.entries()) {
    const earlier = match ? routes.slice(0, index).findIndex((other) => other && takesAll(other, match)) : -1;
    if (earlier === -1) continue;
    const args = { earlier: `alerts.routes[${earlier}]` };
    found.push({ path: ["alerts", "routes", index], key: "config-warning-unreachable-route", args });
  }
  for (const [index, backup] of (backups ?? []).entries()) {
    const { stop, start } = backup?.restore ?? {};
    // What is stopped for a swap stays down for good.
    if (stop && stop.length > 0 && start?.length === 0)
      found.push({ path: ["backups", index, "restore", "stop"], key: "config-warning-stop-only", args: {} });
  }
  if (http.token === undefined)
    for (const path of unsignedHooks(hooks ?? {})) found.push({ path, key: "config-warning-hooks-token", args: {} });
  return found;
}

/** Webhooks that are described and prove by no signature where they come from. */
function unsignedHooks(hooks: Readonly<Record<string, unknown>>): Path[] {
  const parts = Object.entries(hooks).flatMap(([kind, part]) => {
    const { formats } = Object(part);
    if (typeof formats !== "object" || formats === null) return [{ path: ["hooks", kind], part }];
    return Object.entries(formats).map(([name, format]) => ({ path: ["hooks", kind, "formats", name], part: format }));
  });
  return parts
    .filter(({ part }) => !["secret", "signature"].some((proof) => Object.hasOwn(Object(part), proof)))
    .map(({ path }) => path);
}

type Match = NonNullable<RouteOutline["match"]>;

/** True when the first route matches whatever the second one matches. */
function takesAll(first: Match, second: Match): boolean {
  return Object.entries(first).every(([label, wanted]) => {
    const values = second[label];
    return values?.every((value) => wanted?.some((one) => takes(one, value))) ?? false;
  });
}

/** Whether one value or pattern of a route takes all that another one takes; of two different patterns nobody can tell. */
function takes(wanted: string, value: string): boolean {
  if (wanted === value) return true;
  try {
    return patternOf(value) === undefined && (patternOf(wanted)?.test(value) ?? false);
  } catch {
    // No pattern: that is told elsewhere.
    return false;
  }
}
