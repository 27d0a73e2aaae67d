import type { EChartsCoreOption } from "echarts/core";
import { formatRate } from "../../messages/format.ts";
import {
  type Element,
  emptyPanel,
  ground,
  happenings,
  head,
  legend,
  limits,
  panelHead,
  timeAxis,
  valueAxis,
} from "./elements.ts";
import { panelAt, plot, plotWidth } from "./layout.ts";
import { alone } from "./series.ts";
import { type ChartTheme, themes } from "./theme.ts";
import { roundUp, timeTicks } from "./ticks.ts";
import type { Chart, ChartLine, ChartPanel } from "./types.ts";

/** A limit that is further away than so many times the greatest value would press the line flat. */
const furthestLimit = 4;
/** The least end of an axis of rates; bytes a second. */
const leastRate = 1000;

/** What the library is to draw. */
export function optionOf(chart: Chart): EChartsCoreOption {
  const theme = themes[chart.theme];
  const tops = chart.panels.map(greatestOf);
  const ticks = timeTicks(chart.from, chart.to, chart.timezone, chart.locale);
  const panels = chart.panels.map((panel, index): Element[] => {
    const greatest = tops[index] ?? 1;
    const marks = limits(panel, index, greatest, theme);
    const axis = valueAxis(axisLabels(panel, greatest, chart.locale), index, theme);
    return [
      ...panelHead(panel, index, theme),
      ...axis,
      ...(isEmpty(panel) ? [emptyPanel(chart.words.noData, index, theme)] : marks),
    ];
  });
  const shown = {
    limits: chart.panels.some(
      (panel, index) => !isEmpty(panel) && limits(panel, index, tops[index] ?? 1, theme).length > 0,
    ),
    ranges: chart.panels.some(({ lines }) => lines.some(({ points }) => points.some(({ min }) => min !== undefined))),
  };
  const elements = [
    ground(chart, theme),
    head(chart, theme),
    happenings(chart, theme),
    ...panels,
    timeAxis(chart, ticks, theme),
    legend(chart, shown, theme),
  ].flat();
  return {
    animation: false,
    grid: chart.panels.map((_, index) => {
      const { top, height } = panelAt(index);
      return { left: plot.left, width: plotWidth, top, height };
    }),
    xAxis: chart.panels.map((_, index) => ({
      type: "time",
      gridIndex: index,
      min: chart.from,
      max: chart.to,
      show: false,
    })),
    yAxis: chart.panels.map((_, index) => ({ type: "value", gridIndex: index, min: 0, max: tops[index], show: false })),
    series: chart.panels.flatMap((panel, index) =>
      panel.lines.flatMap((line, number) => seriesOf(line, index, number, theme)),
    ),
    graphic: { elements },
  };
}

function isEmpty({ lines }: ChartPanel): boolean {
  return lines.every(({ points }) => points.every(({ value }) => value === undefined));
}

function greatestOf({ unit, lines, thresholds }: ChartPanel): number {
  if (unit === "percent") return 100;
  let greatest = leastRate;
  for (const { points } of lines)
    for (const { value = 0, max = 0 } of points) greatest = Math.max(greatest, value, max);
  const near = thresholds.map(({ value }) => value).filter((value) => value <= furthestLimit * greatest);
  return roundUp(Math.max(greatest, ...near));
}

/** What stands beside the ends and the middle of a panel's axis, from below. */
function axisLabels({ unit }: ChartPanel, greatest: number, locale: Chart["locale"]): [string, string, string] {
  const percent = new Intl.NumberFormat(locale, { style: "percent" });
  const format = (value: number): string => {
    if (unit === "percent") return percent.format(value / 100);
    return value === 0 ? "0" : formatRate(value, locale);
  };
  return [format(0), format(greatest / 2), format(greatest)];
}

function seriesOf({ points, colour }: ChartLine, index: number, number: number, theme: ChartTheme): object[] {
  const stroke = theme.lines[colour];
  const base = { type: "line", xAxisIndex: index, yAxisIndex: index, showSymbol: false, silent: true };
  const hasRange = points.some(({ min }) => min !== undefined);
  const lonely = alone(points);
  const stack = `${index}-${number}`;
  const nothing = { width: 0 };
  return [
    ...(hasRange
      ? [
          { ...base, stack, lineStyle: nothing, data: points.map(({ at, min }) => [at, min ?? null]) },
          {
            ...base,
            stack,
            // A peak of one reading is too narrow for its shade to be seen.
            lineStyle: { color: stroke, width: 0.9, opacity: 0.5 },
            areaStyle: { color: stroke, opacity: 0.32 },
            data: points.map(({ at, min, max }) => [at, min === undefined || max === undefined ? null : max - min]),
          },
        ]
      : []),
    {
      ...base,
      z: 4,
      lineStyle: { color: stroke, width: 1.6, cap: "round", join: "round" },
      ...(hasRange ? {} : { areaStyle: { color: stroke, opacity: 0.13 } }),
      data: points.map(({ at, value }) => [at, value ?? null]),
    },
    ...(lonely.length === 0
      ? []
      : [
          {
            ...base,
            z: 5,
            showSymbol: true,
            symbol: "circle",
            symbolSize: 5,
            itemStyle: { color: stroke },
            lineStyle: nothing,
            data: lonely.map(({ at, value }) => [at, value ?? null]),
          },
        ]),
  ];
}
