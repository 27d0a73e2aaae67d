import type { ChartLine, ChartSpan, ChartThemeName } from "./types.ts";

/** Colours of a picture, which has a ground of its own: whatever the phone's theme is, it reads the same. */
export interface ChartTheme {
  readonly ground: string;
  readonly plot: string;
  readonly text: string;
  readonly muted: string;
  readonly grid: string;
  readonly boot: string;
  readonly lines: Readonly<Record<ChartLine["colour"], string>>;
  readonly severities: Readonly<Record<ChartSpan["what"], string>>;
}

/** Each text has a contrast of at least 4.5 to its ground, each line one of 3. */
export const themes: Readonly<Record<ChartThemeName, ChartTheme>> = {
  dark: {
    ground: "#17212b",
    plot: "#1d2a36",
    text: "#eef3f8",
    muted: "#a3b4c4",
    grid: "#2f4050",
    boot: "#ffffff",
    lines: { cpu: "#5cb3ff", memory: "#c39bff", disk: "#4bd6a3", in: "#4cc9f0", out: "#ff8fb8" },
    severities: { critical: "#ff6257", warning: "#f5b83d", info: "#7fb2e5", off: "#8796a5" },
  },
  light: {
    ground: "#ffffff",
    plot: "#f5f8fb",
    text: "#16222e",
    muted: "#55677a",
    grid: "#dbe3ea",
    boot: "#16222e",
    lines: { cpu: "#1670c5", memory: "#7b3fd0", disk: "#0a7f57", in: "#047a9c", out: "#c22b69" },
    severities: { critical: "#d3261b", warning: "#c47700", info: "#35699c", off: "#66788a" },
  },
};
