import type { z } from "zod";
import { type Link, type Signal, severityOf } from "../../core/signal.ts";
import { bounded, firstOf, linkTo, readAs, unusable } from "../read.ts";
import { headerOf, isSignatureOf } from "../signature.ts";
import type { HookKind, HookRequest, Proof } from "../types.ts";
import { readFormat } from "./format.ts";
import { eventSchema, eventsSchema, type FormatConfig } from "./schema.ts";

type EventsConfig = z.output<typeof eventsSchema>;

/** Events of our own shape, one or a list; and of shapes that the configuration describes. */
export const eventsHook: HookKind<typeof eventsSchema> = {
  kind: "events",
  methods: ["POST", "PUT"],
  schema: eventsSchema,
  variants: ({ formats }) => Object.keys(formats),
  signed: (config, variant) => formatOf(config, variant)?.signature !== undefined,
  authenticate,
  parse: (body, { variant }, config) => {
    const format = formatOf(config, variant);
    if (variant !== undefined && format) return { signals: readFormat(body, format, variant) };
    return { signals: readEvents(body) };
  },
};

function formatOf({ formats }: EventsConfig, variant: string | undefined): FormatConfig | undefined {
  return variant !== undefined && Object.hasOwn(formats, variant) ? formats[variant] : undefined;
}

function authenticate({ headers, raw, variant }: HookRequest, config: EventsConfig): Proof {
  const signature = formatOf(config, variant)?.signature;
  // Without its variable in the environment the secret is missing, whatever the type says.
  if (!signature?.secret) return "none";
  const given = headerOf(headers, signature.header);
  if (given === undefined) return "none";
  return isSignatureOf(signature.secret, [raw], given) ? "proven" : "wrong";
}

function* readEvents(body: unknown): Generator<Signal> {
  if (!Array.isArray(body)) return yield readEvent(body, []);
  for (const [index, item] of body.entries()) yield readEvent(item, [index]);
}

function readEvent(item: unknown, path: readonly PropertyKey[]): Signal {
  const event = readAs(eventSchema, item, path);
  const severity = severityOf(event.severity);
  if (event.severity !== undefined && severity === undefined)
    throw unusable([...path, "severity"], "expected critical, warning or info");
  const { annotations } = event;
  const links: Link[] = [
    ...linkTo("page", event.url),
    ...linkTo("runbook", firstOf(annotations["runbook_url"], annotations["runbook"])),
    ...linkTo("dashboard", firstOf(annotations["dashboard_url"], annotations["dashboard"])),
  ];
  const told = new Set(["runbook_url", "runbook", "dashboard_url", "dashboard"]);
  const notes = Object.entries(annotations)
    .filter(([name, value]) => !told.has(name) && value.trim() !== "")
    .map(([name, value]) => `${name}: ${value}`);
  return bounded({
    source: "events",
    fingerprint: event.fingerprint,
    status: event.status,
    severity: severity ?? (event.status === "info" ? "info" : "warning"),
    title: event.title,
    text: [event.text ?? "", ...notes].filter(Boolean).join("\n"),
    labels: event.labels,
    links,
    startsAt: event.startsAt,
    endsAt: event.endsAt,
    // Most senders tell of changes; that they say nothing more means nothing.
    repeats: false,
  });
}
