import { createHash } from "node:crypto";
import type { Text } from "./text.ts";

/** From the most to the least urgent. */
export const severities = ["critical", "warning", "info"] as const;
export type Severity = (typeof severities)[number];

/** 0 for the most urgent. */
export function severityRank(severity: Severity): number {
  return severities.indexOf(severity);
}

const severityNames: Readonly<Record<Severity, readonly string[]>> = {
  critical: ["critical", "crit", "page", "emergency", "emerg", "disaster", "fatal", "high", "severe", "alert", "p1"],
  warning: ["warning", "warn", "error", "err", "medium", "major", "minor", "average", "p2", "p3"],
  info: ["info", "information", "informational", "notice", "none", "low", "debug", "ok", "p4", "p5"],
};

/** The severity that a word means, as senders and people write it; undefined when it is none that we know. */
export function severityOf(word: string | undefined): Severity | undefined {
  const wanted = (word ?? "").trim().toLowerCase();
  return Object.entries(severityNames).find(([, names]) => names.includes(wanted))?.[0] as Severity | undefined;
}

/** What a link leads to; chooses its text. */
export const linkKinds = [
  "source",
  "dashboard",
  "panel",
  "alertmanager",
  "silence",
  "runbook",
  "page",
  "console",
] as const;

export interface Link {
  readonly kind: (typeof linkKinds)[number];
  /** http or https. */
  readonly url: string;
}

/**
 * What somebody reports: that something is wrong, is well again, or merely happened (`info`). Times are ISO 8601.
 * Whatever reports it (a webhook, a heartbeat, a rule, the watch over ourselves), from here on it goes one way.
 */
export interface Signal {
  /** Who reports: "alertmanager", "grafana", "events", "heartbeat", "watch". */
  readonly source: string;
  /** The sender's own name for what is wrong; the same again for its end. Without it: source, title and labels. */
  readonly fingerprint?: string | undefined;
  readonly status: "firing" | "resolved" | "info";
  readonly severity: Severity;
  /** One line. A `Text` is shown in the reader's language. */
  readonly title: string | Text;
  readonly text?: string | Text | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly links?: readonly Link[] | undefined;
  /** When it began, by the sender's clock. Without it a report about what is open already belongs to that. */
  readonly startsAt?: string | undefined;
  /** When it ended, by the sender's clock. */
  readonly endsAt?: string | undefined;
  /** How many alerts the sender has left out of the message that brought this one. */
  readonly truncated?: number | undefined;
  /** False for what reports only changes: its silence means nothing. Default true. */
  readonly repeats?: boolean | undefined;
  /** Whoever looks at it looks so often: it cannot come and go faster. Milliseconds; absent: all the time. */
  readonly every?: number | undefined;
}

/**
 * What is wrong, whoever tells of it and however often: the same for all signals about it. What merely happened is
 * never the same as what is wrong, whatever the sender calls it: it must not hide it.
 */
export function identityOf(signal: Signal): string {
  const { source, fingerprint, title, labels, status } = signal;
  const sorted = Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const name = fingerprint === undefined ? { title, labels: sorted } : { fingerprint };
  return digest(JSON.stringify(status === "info" ? [source, name, status] : [source, name]), 22);
}

/** A number in [0, 1) that follows from a text and is as good as random. */
export function digestNumber(text: string): number {
  return createHash("sha256").update(text).digest().readUIntBE(0, 6) / 2 ** 48;
}

/** A short digest of a text, for ids: letters, digits, "-" and "_". */
export function digest(text: string, length: number): string {
  return createHash("sha256").update(text).digest("base64url").slice(0, length);
}
