import type { z } from "zod";
import { readEach, signalOf } from "../groups.ts";
import { firstOf, linkTo, readAs, spelled } from "../read.ts";
import { headerOf, isSignatureOf } from "../signature.ts";
import type { HookKind, HookRequest, Proof } from "../types.ts";
import { alertSchema, grafanaSchema, messageSchema } from "./schema.ts";

type GrafanaConfig = z.output<typeof grafanaSchema>;

/** A signature with a time counts for so long before and after it; milliseconds. */
const skewMs = 5 * 60_000;

/** Grafana's contact point "Webhook". */
export const grafanaHook: HookKind<typeof grafanaSchema> = {
  kind: "grafana",
  methods: ["POST", "PUT"],
  schema: grafanaSchema,
  signed: ({ secret }) => secret !== undefined,
  authenticate,
  parse: (body) => {
    const { alerts, truncatedAlerts, title, message } = readAs(messageSchema, body);
    const single = alerts?.length === 1;
    return {
      signals: readEach(alertSchema, alerts).map((alert) =>
        signalOf(alert, {
          source: "grafana",
          truncated: truncatedAlerts,
          title,
          // The group's message tells of all of its alerts.
          text: single ? message : undefined,
          values: valuesOf(alert),
          links: [
            ...linkTo("dashboard", alert.dashboardURL),
            ...linkTo("panel", alert.panelURL),
            ...linkTo("silence", alert.silenceURL),
            ...linkTo("page", alert.imageURL),
          ],
        }),
      ),
    };
  },
};

function valuesOf(alert: { values?: Record<string, unknown> | null | undefined; valueString?: string | undefined }) {
  const values = Object.entries(alert.values ?? {}).flatMap(([name, value]) => {
    const text = spelled(value);
    return text === undefined ? [] : [`${name} = ${text}`];
  });
  return values.length > 0 ? values.join(", ") : firstOf(alert.valueString);
}

function authenticate({ headers, raw, now }: HookRequest, config: GrafanaConfig): Proof {
  const signature = headerOf(headers, "X-Grafana-Alerting-Signature");
  if (signature === undefined || config.secret === undefined) return "none";
  const timestamp = headerOf(headers, config.timestampHeader ?? "X-Grafana-Alerting-Timestamp");
  if (timestamp === undefined) {
    if (config.timestampHeader !== undefined) return "wrong";
    return isSignatureOf(config.secret, [raw], signature) ? "proven" : "wrong";
  }
  if (!isSignatureOf(config.secret, [timestamp, ":", raw], signature)) return "wrong";
  const at = /^\d{1,12}$/.test(timestamp) ? Number(timestamp) * 1000 : Number.NaN;
  return Math.abs(now.getTime() - at) <= skewMs ? "proven" : "expired";
}
