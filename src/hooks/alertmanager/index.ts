import type { Link } from "../../core/signal.ts";
import { readEach, signalOf } from "../groups.ts";
import { limits, linkTo, readAs } from "../read.ts";
import type { HookKind } from "../types.ts";
import { alertmanagerSchema, alertSchema, messageSchema } from "./schema.ts";

/** Prometheus Alertmanager's `webhook_configs`. */
export const alertmanagerHook: HookKind<typeof alertmanagerSchema> = {
  kind: "alertmanager",
  methods: ["POST"],
  schema: alertmanagerSchema,
  parse: (body) => {
    const { alerts, externalURL, truncatedAlerts } = readAs(messageSchema, body);
    return {
      signals: readEach(alertSchema, alerts).map((alert) =>
        signalOf(alert, {
          source: "alertmanager",
          truncated: truncatedAlerts,
          links: externalURL === undefined ? [] : pagesOf(externalURL, alert.labels),
        }),
      ),
    };
  },
};

/** Alertmanager's pages about exactly this alert: the alert itself, and the form of a silence. */
function pagesOf(externalURL: string, labels: Readonly<Record<string, string>>): Link[] {
  const matchers = Object.entries(labels)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  const filter = encodeURIComponent(`{${matchers.join(",")}}`);
  const base = `${externalURL.replace(/\/+$/, "")}/#`;
  const alerts = `${base}/alerts?filter=${filter}`;
  const silence = `${base}/silences/new?filter=${filter}`;
  return [
    ...linkTo("alertmanager", alerts.length > limits.url ? `${base}/alerts` : alerts),
    // A silence by fewer labels would silence more than this alert: rather none.
    ...(matchers.length > 0 && silence.length <= limits.url ? linkTo("silence", silence) : []),
  ];
}
