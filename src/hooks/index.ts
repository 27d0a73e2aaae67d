import { z } from "zod";
import { AppError } from "../core/errors.ts";
import { alertmanagerHook } from "./alertmanager/index.ts";
import { eventsHook } from "./events/index.ts";
import { grafanaHook } from "./grafana/index.ts";
import type { HookKind } from "./types.ts";

/** Every webhook format: a new one is a folder beside this file, and its lines here. */
const kinds: readonly HookKind[] = [alertmanagerHook, grafanaHook, eventsHook];

const byKind = new Map<string, HookKind>();
for (const kind of kinds) {
  if (byKind.has(kind.kind)) throw new AppError("internal", `two webhooks are called ${kind.kind}`);
  byKind.set(kind.kind, kind);
}

/** The formats by their names. */
export const hookKinds: ReadonlyMap<string, HookKind> = byKind;

/** `hooks:` of the configuration: a part for each kind. */
export const hooksSchema = z.strictObject({
  alertmanager: alertmanagerHook.schema.optional().describe("Prometheus Alertmanager, at /hooks/alertmanager."),
  grafana: grafanaHook.schema.optional().describe("Grafana's alerting, at /hooks/grafana."),
  events: eventsHook.schema.optional().describe("Everything else, at /hooks/events."),
});
export type HooksConfig = z.output<typeof hooksSchema>;

/** The part of a kind, with its defaults when there is none. */
export function partOf(config: HooksConfig, kind: HookKind): unknown {
  const part = Object.entries(config).find(([name]) => name === kind.kind)?.[1];
  return part ?? kind.schema.parse({});
}
