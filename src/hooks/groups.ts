import { z } from "zod";
import { type Link, type Signal, severityOf } from "../core/signal.ts";
import {
  bounded,
  fingerprintOfLabels,
  firstOf,
  linkTo,
  optionalText,
  pairsSchema,
  readAs,
  timeSchema,
} from "./read.ts";

/** One alert, as Alertmanager and Grafana both send it. Keys that we do not need are ignored. */
export const alertFields = {
  status: z.enum(["firing", "resolved"]),
  labels: pairsSchema,
  annotations: pairsSchema,
  startsAt: timeSchema,
  endsAt: timeSchema,
  generatorURL: optionalText,
  fingerprint: optionalText,
};

/** A message: a group of alerts in full. */
export const groupFields = {
  /** Read one by one. */
  alerts: z.array(z.unknown()).nullable(),
  receiver: optionalText,
  externalURL: optionalText,
  truncatedAlerts: z
    .int()
    .nonnegative()
    .nullish()
    .transform((count) => count ?? 0),
};

const alertSchema = z.object(alertFields);
export type GroupedAlert = z.output<typeof alertSchema>;

/** The alerts of a message, each read when it is its turn. A Go program may send null for none. @throws AppError `http`. */
export function* readEach<S extends z.ZodType>(schema: S, alerts: readonly unknown[] | null): Generator<z.output<S>> {
  for (const [index, alert] of (alerts ?? []).entries()) yield readAs(schema, alert, ["alerts", index]);
}

/** What else a sender says about an alert. */
export interface Extras {
  readonly source: string;
  readonly truncated: number;
  readonly links: readonly Link[];
  /** When the annotations say nothing. */
  readonly title?: string | undefined;
  readonly text?: string | undefined;
  /** A line below the text: measured values. */
  readonly values?: string | undefined;
}

/** Annotations that have a place of their own. */
const placed = new Set(
  ["summary", "title", "description", "message", "runbook_url", "runbook", "runbookURL"].concat([
    "dashboard_url",
    "dashboard",
    "dashboardURL",
    "panel_url",
    "panelURL",
    "value_string",
  ]),
);

/** What is told by links, or by nobody: names such as `__dashboardUid__` are the sender's own business. */
const isTold = (name: string): boolean => placed.has(name) || name.startsWith("__");

/** The signal of an alert: its own status, not the group's. */
export function signalOf(alert: GroupedAlert, extras: Extras): Signal {
  const { labels, annotations } = alert;
  const { source, truncated } = extras;
  const named = firstOf(annotations["summary"], annotations["title"], labels["alertname"], extras.title);
  return bounded({
    source,
    // Without a name of their own alerts are told apart by their labels: a title may hold a value that changes.
    fingerprint: firstOf(alert.fingerprint) ?? fingerprintOfLabels(labels),
    status: alert.status,
    severity: severityOf(firstOf(labels["severity"], labels["priority"], annotations["severity"])) ?? "warning",
    title: named ?? describe(labels),
    text: textOf(alert, extras, named),
    labels,
    links: [...linksOf(alert), ...extras.links],
    startsAt: alert.startsAt,
    endsAt: alert.endsAt,
    ...(truncated > 0 ? { truncated } : {}),
  });
}

function describe(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}=${value}`);
  return pairs.join(", ") || "?";
}

function textOf({ annotations }: GroupedAlert, extras: Extras, title: string | undefined): string {
  const said = firstOf(annotations["description"], annotations["message"], extras.text);
  const title2 = annotations["title"];
  const rest = Object.entries(annotations)
    .filter(([name, value]) => !isTold(name) && value.trim() !== "")
    .map(([name, value]) => `${name}: ${value}`);
  const lines = [
    ...(title2 !== undefined && title2 !== title ? [title2] : []),
    ...(said !== undefined && said !== title ? [said] : []),
    ...(said !== annotations["message"] && annotations["message"] ? [annotations["message"]] : []),
    ...(extras.values ? [extras.values] : []),
    ...rest,
  ];
  return lines
    .map((line) => line.trim())
    .filter(Boolean)
    .join("\n");
}

function linksOf({ annotations, generatorURL }: GroupedAlert): Link[] {
  return [
    ...linkTo("source", generatorURL),
    ...linkTo(
      "dashboard",
      firstOf(annotations["dashboard_url"], annotations["dashboardURL"], annotations["dashboard"]),
    ),
    ...linkTo("panel", firstOf(annotations["panel_url"], annotations["panelURL"])),
    ...linkTo("runbook", firstOf(annotations["runbook_url"], annotations["runbookURL"], annotations["runbook"])),
  ];
}
