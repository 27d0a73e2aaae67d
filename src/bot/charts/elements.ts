import { severities } from "../../core/signal.ts";
import { axisAt, height, lane, legendRows, panelAt, plot, plotWidth, textWidth, width, xOf } from "./layout.ts";
import type { ChartTheme } from "./theme.ts";
import type { Tick } from "./ticks.ts";
import type { Chart, ChartPanel, ChartSpan } from "./types.ts";

/** A thing that is drawn where it is told to be, as the library takes it. */
export type Element = Readonly<Record<string, unknown>>;

/** With condensed faces alone at hand, these are taken. */
const family = "DejaVu Sans";
const spanOrder: readonly ChartSpan["what"][] = ["off", ...severities.toReversed()];
/** Nothing is so short that it cannot be seen. */
const thinnest = 2;

/** The widest letter is so much wider than those that `textWidth` expects. */
const widestPart = 1.6;

interface TextOptions {
  readonly x: number;
  readonly y: number;
  readonly size: number;
  readonly fill: string;
  readonly align?: "left" | "center" | "right";
  readonly vertical?: "top" | "middle" | "bottom" | undefined;
  readonly isBold?: boolean;
  readonly z?: number;
}

function text(
  content: string,
  { x, y, size, fill, align = "left", vertical = "middle", isBold = false, z = 10 }: TextOptions,
): Element {
  return {
    type: "text",
    z,
    silent: true,
    style: {
      text: content,
      x,
      y,
      fill,
      fontFamily: family,
      fontSize: size,
      fontWeight: isBold ? "bold" : "normal",
      align,
      verticalAlign: vertical,
    },
  };
}

function rectangle(
  shape: { x: number; y: number; width: number; height: number },
  fill: string,
  opacity: number,
  z: number,
) {
  return { type: "rect", z, silent: true, shape, style: { fill, opacity } };
}

function line(shape: { x1: number; y1: number; x2: number; y2: number }, style: object, z: number): Element {
  return { type: "line", z, silent: true, shape, style };
}

/** Whose picture it is, and of which time. */
export function head({ title, subtitle }: Chart, theme: ChartTheme): Element[] {
  const size = Math.min(16, (16 * (width - 20)) / (textWidth(title, 16) * widestPart));
  return [
    text(title, { x: 10, y: 15, size, fill: theme.text, isBold: true }),
    text(subtitle, { x: 10, y: 32, size: 11, fill: theme.muted }),
  ];
}

/** The title of a panel, and in its lines' colours how they stand. */
export function panelHead(panel: ChartPanel, index: number, theme: ChartTheme): Element[] {
  const { title: y } = panelAt(index);
  let right: number = plot.right;
  const labels = panel.lines.toReversed().map(({ label, colour }) => {
    const element = text(label, { x: right, y, size: 11.5, fill: theme.lines[colour], align: "right", isBold: true });
    right -= textWidth(label, 11.5) + 10;
    return element;
  });
  return [text(panel.title, { x: 10, y, size: 12.5, fill: theme.text, isBold: true }), ...labels];
}

/** The values at the axis: its end, its middle and nothing. */
export function valueAxis(values: readonly [string, string, string], index: number, theme: ChartTheme): Element[] {
  const { top, height: high } = panelAt(index);
  const verticals = ["bottom", "middle", "top"] as const;
  return values.flatMap((value, number) => {
    const y = top + high * (1 - number / 2);
    const label = {
      x: plot.left - 5,
      y,
      size: 10.5,
      fill: theme.muted,
      align: "right",
      vertical: verticals[number],
    } as const;
    const stroke = { stroke: theme.grid, lineWidth: 0.8 };
    return [text(value, label), line({ x1: plot.left, y1: y, x2: plot.right, y2: y }, stroke, 0)];
  });
}

/** What is said where nothing is known. */
export function emptyPanel(words: string, index: number, theme: ChartTheme): Element {
  const { top, height: high } = panelAt(index);
  return text(words, {
    x: (plot.left + plot.right) / 2,
    y: top + high / 2,
    size: 11.5,
    fill: theme.muted,
    align: "center",
  });
}

/** Where rules speak up, each with its value. */
export function limits(panel: ChartPanel, index: number, greatest: number, theme: ChartTheme): Element[] {
  const { top, height: high } = panelAt(index);
  return panel.thresholds
    .filter(({ value }) => value > 0 && value <= greatest)
    .map(({ value, severity }) => {
      const y = top + high * (1 - value / greatest);
      const stroke = theme.severities[severity];
      return line({ x1: plot.left, y1: y, x2: plot.right, y2: y }, { stroke, lineWidth: 1.2, lineDash: [5, 3] }, 5);
    });
}

/** Incidents, times without power and starts: in the lane above, and through all panels. */
export function happenings(chart: Chart, theme: ChartTheme): Element[] {
  const spans = chart.spans.toSorted((a, b) => spanOrder.indexOf(a.what) - spanOrder.indexOf(b.what));
  const shades = spans.flatMap(({ from, to, what }) => {
    const begin = xOf(from, chart);
    const wide = Math.max(thinnest, xOf(to, chart) - begin);
    const x = Math.min(begin, plot.right - wide);
    const colour = theme.severities[what];
    return [
      rectangle({ x, y: lane.top, width: wide, height: lane.height }, colour, 1, 6),
      ...chart.panels.map((_, index) => {
        const { top, height: high } = panelAt(index);
        return rectangle({ x, y: top, width: wide, height: high }, colour, what === "off" ? 0.3 : 0.16, 1);
      }),
    ];
  });
  const boots = chart.boots.flatMap((at) => {
    const x = xOf(at, chart);
    const dashes = { stroke: theme.boot, lineWidth: 1.1, lineDash: [2, 2.5], opacity: 0.85 };
    const lines = chart.panels.map((_, index) => {
      const { top, height: high } = panelAt(index);
      return line({ x1: x, y1: top, x2: x, y2: top + high }, dashes, 7);
    });
    return [...lines, { ...triangle(x, lane.top - 2, theme.boot), z: 8 }];
  });
  return [...shades, ...boots];
}

function triangle(x: number, y: number, fill: string): Element {
  return {
    type: "polygon",
    silent: true,
    shape: {
      points: [
        [x - 4, y],
        [x + 4, y],
        [x, y + 8],
      ],
    },
    style: { fill },
  };
}

/** Times below the last panel, and their lines through all of them. */
export function timeAxis(chart: Chart, ticks: readonly Tick[], theme: ChartTheme): Element[] {
  const y = axisAt(chart.panels.length);
  let taken = plot.left - 24;
  return ticks.flatMap(({ at, label, isDay }) => {
    const x = xOf(at, chart);
    const half = textWidth(label, 11) / 2;
    const fits = x + half < width - 1 && x - half > taken;
    const lines = chart.panels.map((_, index) => {
      const { top, height: high } = panelAt(index);
      return line({ x1: x, y1: top, x2: x, y2: top + high }, { stroke: theme.grid, lineWidth: isDay ? 1.6 : 0.8 }, 0);
    });
    if (!fits) return lines;
    taken = x + half + 6;
    const fill = isDay ? theme.text : theme.muted;
    return [...lines, text(label, { x, y, size: 11, fill, align: "center", isBold: isDay })];
  });
}

/** What the marks mean, of those that are there. */
export function legend(chart: Chart, shown: { readonly limits: boolean; readonly ranges: boolean }, theme: ChartTheme) {
  const { words } = chart;
  const worst = severities.find((severity) => chart.spans.some(({ what }) => what === severity));
  const limit = severities.find((severity) =>
    chart.panels.some(({ thresholds }) => thresholds.some((each) => each.severity === severity)),
  );
  const box = (colour: string, opacity: number) => (x: number, y: number) => [
    rectangle({ x, y: y - 4, width: 14, height: 8 }, colour, opacity, 6),
  ];
  const dashes = (colour: string) => (x: number, y: number) => [
    line({ x1: x, y1: y, x2: x + 14, y2: y }, { stroke: colour, lineWidth: 1.4, lineDash: [5, 3] }, 6),
  ];
  const start = (x: number, y: number) => [{ ...triangle(x + 7, y - 4, theme.boot), z: 6 }];
  const { severities: colours } = theme;
  const items = [
    ...(shown.limits && limit !== undefined ? [{ words: words.limit, mark: dashes(colours[limit]) }] : []),
    ...(worst === undefined ? [] : [{ words: words.incident, mark: box(colours[worst], 0.75) }]),
    ...(chart.spans.some(({ what }) => what === "off") ? [{ words: words.off, mark: box(colours.off, 0.6) }] : []),
    ...(chart.boots.length === 0 ? [] : [{ words: words.boot, mark: start }]),
    ...(shown.ranges ? [{ words: words.range, mark: box(theme.lines.cpu, 0.35) }] : []),
  ];
  let x = 10;
  let y = legendRows[0];
  return items.flatMap(({ words: said, mark }) => {
    const wide = 18 + textWidth(said, 11);
    if (x > 10 && x + wide > width - 4) [x, y] = [10, legendRows[1]];
    const here = x;
    x += wide + 12;
    return [...mark(here, y), text(said, { x: here + 18, y, size: 11, fill: theme.muted })];
  });
}

/** The ground that everything stands on. */
export function ground(chart: Chart, theme: ChartTheme): Element[] {
  return [
    rectangle({ x: 0, y: 0, width, height }, theme.ground, 1, -2),
    ...chart.panels.map((_, index) => {
      const { top, height: high } = panelAt(index);
      return rectangle({ x: plot.left, y: top, width: plotWidth, height: high }, theme.plot, 1, -1);
    }),
  ];
}
