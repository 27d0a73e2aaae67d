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
  readonly by: Person;
  readonly reason?: string;
  readonly createdAt: string;
  readonly until: string;
}

/** What a silence looks at. */
export interface Silenceable {
  readonly identity: string;
  readonly matchLabels: Readonly<Record<string, string>>;
}

export function isActive(silence: Silence, now: Date): boolean {
  return Date.parse(silence.until) > now.getTime();
}

/** True when the silence is about this, whether or not it is still active. */
export function covers(silence: Silence, { identity, matchLabels }: Silenceable): boolean {
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
