import type { Severity } from "../../core/signal.ts";
import type { Locale } from "../../messages/index.ts";

/** One value of a line; undefined: nothing is known there, and the line is broken. Of a longer time also the extremes. */
export interface Drawn {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly value: number | undefined;
  readonly min?: number;
  readonly max?: number;
}

export interface ChartLine {
  readonly colour: "cpu" | "memory" | "disk" | "in" | "out";
  /** Beside the panel's title, in the line's colour: what it is, its newest and greatest value. */
  readonly label: string;
  readonly points: readonly Drawn[];
}

/** A value at which a rule speaks up. */
export interface Threshold {
  readonly value: number;
  readonly severity: Severity;
}

export interface ChartPanel {
  readonly title: string;
  readonly unit: "percent" | "bytes-per-second";
  readonly lines: readonly ChartLine[];
  readonly thresholds: readonly Threshold[];
}

/** From when to when something was so; milliseconds since 1970. */
export interface ChartSpan {
  readonly from: number;
  readonly to: number;
  /** "off": nobody expected measurements then. */
  readonly what: Severity | "off";
}

export const chartThemes = ["dark", "light"] as const;
export type ChartThemeName = (typeof chartThemes)[number];

/** Everything that a picture shows, in words that are ready: plain data, for it goes to a thread of its own. */
export interface Chart {
  readonly theme: ChartThemeName;
  readonly locale: Locale;
  readonly timezone: string;
  readonly title: string;
  readonly subtitle: string;
  readonly from: number;
  readonly to: number;
  readonly panels: readonly ChartPanel[];
  readonly spans: readonly ChartSpan[];
  /** When the system was started anew; milliseconds since 1970. */
  readonly boots: readonly number[];
  readonly words: {
    readonly noData: string;
    readonly limit: string;
    readonly incident: string;
    readonly boot: string;
    readonly off: string;
    /** What the shade beside a line is: from the least to the greatest value. */
    readonly range: string;
  };
}
