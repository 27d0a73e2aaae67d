import { type Matcher, matchesAll } from "./matchers.ts";
import type { Person } from "./run.ts";

/** For some time, nothing that matches makes itself heard. Times are ISO 8601. */
export interface Silence {
  readonly id: string;
  readonly matchers: readonly Matcher[];
  /** Only this one incident's identity; `matchers` is empty then. */
  readonly identity?: string;
  /** What is silenced, for people, when it is one incident. */
  readonly title?: string;
  /** Only what this explains; `matchers` is empty then. */
  readonly hold?: Hold;
  readonly by: Person;
  readonly reason?: string;
  readonly createdAt: string;
  readonly until: string;
}

/** What is explained by something that was ordered for a server: its alerts, from then on. */
export interface Hold {
  /** Its name in the configuration. */
  readonly server: string;
  /** What else it is called by others: its name at the provider, its addresses. */
  readonly aliases: readonly string[];
  /** When it was ordered; ISO 8601. */
  readonly since: string;
}

/** What a silence looks at. */
export interface Silenceable {
  readonly identity: string;
  readonly matchLabels: Readonly<Record<string, string>>;
  /** When it began the last time; ISO 8601. */
  readonly firedAt: string;
}

export function isActive(silence: Silence, now: Date): boolean {
  return Date.parse(silence.until) > now.getTime();
}

/** True when the silence is about this, whether or not it is still active. */
export function covers(silence: Silence, about: Silenceable): boolean {
  const { identity, matchLabels } = about;
  if (silence.hold) return explains(silence.hold, about);
  if (silence.identity !== undefined) return silence.identity === identity;
  // Without a condition it would silence everything.
  return silence.matchers.length > 0 && matchesAll(silence.matchers, matchLabels);
}

/** The active silence that ends last, if any covers it. */
export function silenceFor(silences: readonly Silence[], about: Silenceable, now: Date): Silence | undefined {
  return silences
    .filter((silence) => isActive(silence, now) && covers(silence, about))
    .toSorted((a, b) => Date.parse(b.until) - Date.parse(a.until))[0];
}

/** Labels by which alerts say which server they are about. */
const serverLabels = ["server", "instance", "host", "hostname", "node", "nodename"];
/** Clocks of senders may be behind by so much; milliseconds. */
const clockTolerance = 60_000;

/** Whether what was ordered for a server explains this. */
export function explains({ server, aliases, since }: Hold, { matchLabels, firedAt }: Silenceable): boolean {
  // What says that it does not come back.
  if (matchLabels["source"] === "power") return false;
  if (Date.parse(firedAt) < Date.parse(since) - clockTolerance) return false;
  const names = new Set([server, ...aliases].map((name) => name.toLowerCase()));
  return hostsIn(matchLabels).some((host) => names.has(host));
}

/** The hosts that labels name, in small letters. */
export function hostsIn(labels: Readonly<Record<string, string>>): string[] {
  return serverLabels.flatMap((label) => {
    const value = Object.hasOwn(labels, label) ? (labels[label] ?? "") : "";
    return value === "" ? [] : hostOf(value);
  });
}

/** The host in "web-1", "web-1:9100", "[2001:db8::1]:9100" or "https://web-1/metrics". */
export function hostOf(value: string): string {
  const bare = value
    .trim()
    .toLowerCase()
    .replace(/^[a-z][a-z0-9+.-]*:\/\//, "")
    .replace(/[/?#].*$/s, "");
  const bracketed = /^\[([^\]]*)\](?::\d+)?$/.exec(bare)?.[1];
  if (bracketed !== undefined) return bracketed;
  // More than one colon is an address itself.
  return /^[^:]*:\d+$/.test(bare) ? bare.slice(0, bare.indexOf(":")) : bare;
}
