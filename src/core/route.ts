import { compilePattern, type Pattern } from "./pattern.ts";

/** When notifications make no sound, in the configured time zone: minutes of the day; `from` after `to` passes midnight. */
export interface DailySpan {
  readonly from: number;
  readonly to: number;
}

/** Which incidents go where; the first that matches wins. */
export interface Route {
  /** Label (or `severity`, `source`) -> its value, one of several, or `/pattern/` for the whole of it. */
  readonly match: Readonly<Record<string, string | readonly string[]>>;
  /** Name of a configured chat; default the first. */
  readonly chat?: string | undefined;
  readonly topic?: string | undefined;
  /** Milliseconds after which what still fires and nobody has acknowledged rings again. */
  readonly repeat?: number | undefined;
  /** True: never a sound. */
  readonly silent?: DailySpan | boolean | undefined;
}

/** The first route that matches. */
export function routeFor(routes: readonly Route[], labels: Readonly<Record<string, string>>): Route | undefined {
  return routes.find(({ match }) =>
    Object.entries(match).every(([label, wanted]) => {
      const actual = Object.hasOwn(labels, label) ? (labels[label] ?? "") : "";
      return [wanted].flat().some((one) => matchesValue(one, actual));
    }),
  );
}

function matchesValue(wanted: string, actual: string): boolean {
  const pattern = patternOf(wanted);
  return pattern === undefined ? wanted === actual : pattern.test(actual);
}

/** `/pattern/` as an anchored regular expression; undefined for a plain value. @throws SyntaxError for a bad one. */
export function patternOf(wanted: string): Pattern | undefined {
  const found = /^\/(.+)\/$/s.exec(wanted);
  return found ? compilePattern(found[1] ?? "") : undefined;
}

/** Whether a notification at `now` makes no sound. */
export function isSilentAt(silent: Route["silent"], now: Date, timezone: string): boolean {
  if (silent === undefined || typeof silent === "boolean") return silent ?? false;
  const minute = minuteOfDay(now, timezone);
  const { from, to } = silent;
  return from <= to ? minute >= from && minute < to : minute >= from || minute < to;
}

/** Making one takes much longer than using it. */
const clocks = new Map<string, Intl.DateTimeFormat>();

/** Minutes since midnight in a time zone. */
export function minuteOfDay(now: Date, timezone: string): number {
  let format = clocks.get(timezone);
  if (!format) {
    format = new Intl.DateTimeFormat("en-GB", {
      timeZone: timezone,
      hour: "2-digit",
      minute: "2-digit",
      hourCycle: "h23",
    });
    clocks.set(timezone, format);
  }
  const parts = format.formatToParts(now);
  const part = (type: string): number => Number(parts.find((candidate) => candidate.type === type)?.value ?? 0);
  return part("hour") * 60 + part("minute");
}

/** Reads `22:00-08:00`; undefined when it is none. */
export function parseDailySpan(text: string): DailySpan | undefined {
  const [from, to, ...rest] = text.split("-").map((part) => parseTimeOfDay(part.trim()));
  return from === undefined || to === undefined || rest.length > 0 || from === to ? undefined : { from, to };
}

/** Reads `22:00` as minutes of the day; undefined when it is none. */
export function parseTimeOfDay(text: string): number | undefined {
  const found = /^(\d{1,2}):(\d{2})$/.exec(text);
  const [hours, minutes] = [Number(found?.[1]), Number(found?.[2])];
  return found && hours < 24 && minutes < 60 ? hours * 60 + minutes : undefined;
}
