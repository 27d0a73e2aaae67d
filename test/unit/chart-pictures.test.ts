import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pixelmatch from "pixelmatch";
import { PNG } from "pngjs";
import { describe, expect, test } from "vitest";
import { drawChart } from "../../src/bot/charts/draw.ts";
import type { Chart } from "../../src/bot/charts/types.ts";
import type { MetricName } from "../../src/core/metric.ts";
import type { Point } from "../../src/core/series.ts";
import { aChart, chartEnd, hourMs, measured, minuteMs, noise } from "../support/charts.ts";

const golden = join(import.meta.dirname, "../golden/charts");
/** Another version of the drawing library may draw edges a little differently: so many pixels in a hundred may differ. */
const mostDiffering = 0.05;

/** One value, and no more. */
const onePoint: ReadonlyMap<MetricName, readonly Point[]> = new Map([
  ["cpu", [{ at: chartEnd.getTime() - 20 * minuteMs, value: 63 }]],
  ["network_in", [{ at: chartEnd.getTime() - 20 * minuteMs, value: 310_000 }]],
]);

/** A week in which the processor is busy for one reading at a time: none of them may get lost. */
function spikes(): ReadonlyMap<MetricName, readonly Point[]> {
  const random = noise(3);
  const isSpike = (at: number): boolean => Math.round(at / (5 * minuteMs)) % 211 === 0;
  return new Map([
    ["cpu", measured(168, 5 * minuteMs, (at) => (isSpike(at) ? 98 : 4 + random() * 3))],
    ["memory", measured(168, 5 * minuteMs, () => 40 + random())],
    ["disk", measured(168, 5 * minuteMs, (at) => 50 + (((at / hourMs) % 24) / 24) * 30)],
    ["network_in", measured(168, 5 * minuteMs, (at) => (isSpike(at) ? 9e7 : 2e4))],
    ["network_out", measured(168, 5 * minuteMs, () => 9e3)],
  ]);
}

const pictures: Readonly<Record<string, () => Chart>> = {
  "day-dark-en": () => aChart({ hours: 24, theme: "dark", locale: "en" }),
  "day-light-ru": () => aChart({ hours: 24, theme: "light", locale: "ru" }),
  "month-dark-ru": () => aChart({ hours: 720, theme: "dark", locale: "ru" }),
  "month-light-en": () => aChart({ hours: 720, theme: "light", locale: "en" }),
  "empty-light-en": () => aChart({ hours: 24, theme: "light", locale: "en", lines: new Map(), isQuiet: true }),
  "one-point-dark-ru": () => aChart({ hours: 1, theme: "dark", locale: "ru", lines: onePoint, isQuiet: true }),
  "spikes-dark-en": () => aChart({ hours: 168, theme: "dark", locale: "en", lines: spikes(), isQuiet: true }),
};

/** How much of two pictures differs, percent of their pixels, smoothed edges aside. */
function compared(one: Buffer, other: Buffer): { readonly percent: number; readonly difference: PNG } {
  const [is, was] = [PNG.sync.read(one), PNG.sync.read(other)];
  const { width, height } = is;
  expect([width, height]).toEqual([was.width, was.height]);
  const difference = new PNG({ width, height });
  const count = pixelmatch(is.data, was.data, difference.data, width, height, { threshold: 0.12 });
  return { percent: (100 * count) / (width * height), difference };
}

describe("a picture looks as it did when somebody looked at it", () => {
  // GOLDEN=write npm test -- test/unit/chart-pictures.test.ts writes them anew: look at each of them then.
  test.each(Object.entries(pictures))("%s", (name, chart) => {
    const drawn = Buffer.from(drawChart(chart()));
    const file = join(golden, `${name}.png`);
    if (process.env["GOLDEN"] === "write") writeFileSync(file, drawn);
    const { percent, difference } = compared(drawn, readFileSync(file));
    if (percent >= mostDiffering) {
      const folder = mkdtempSync(join(tmpdir(), "vakhta-charts-"));
      writeFileSync(join(folder, `${name}.png`), drawn);
      writeFileSync(join(folder, `${name}-difference.png`), PNG.sync.write(difference));
      process.stdout.write(`${percent.toFixed(2)} % of ${name} differs: see ${folder}\n`);
    }
    expect(percent).toBeLessThan(mostDiffering);
  });
});

describe("the comparison", () => {
  const whole = aChart({ hours: 24, theme: "dark", locale: "en" });
  const was = readFileSync(join(golden, "day-dark-en.png"));

  test.each<[string, Partial<Chart>]>([
    ["its limits", { panels: whole.panels.map((panel) => ({ ...panel, thresholds: [] })) }],
    ["the start", { boots: [] }],
    ["an incident", { spans: whole.spans.filter(({ what }) => what !== "warning") }],
    ["the time without power", { spans: whole.spans.filter(({ what }) => what !== "off") }],
    ["its name", { title: "" }],
    [
      "what stands above a panel",
      { panels: whole.panels.map((panel, index) => (index === 1 ? { ...panel, title: "" } : panel)) },
    ],
  ])("sees when %s is missing", (_, change) => {
    const { percent } = compared(Buffer.from(drawChart({ ...whole, ...change })), was);
    expect(percent).toBeGreaterThan(mostDiffering);
  });
});

describe("a picture", () => {
  test("is as wide as a phone has pixels, and no longer than Telegram shows without scaling it", () => {
    const { width, height } = PNG.sync.read(Buffer.from(drawChart(aChart({ hours: 24, theme: "dark", locale: "en" }))));
    expect(width).toBe(1080);
    expect(height).toBeLessThanOrEqual(1280);
  });

  test("takes at most 300 ms", () => {
    const chart = aChart({ hours: 168, theme: "dark", locale: "en" });
    drawChart(chart);
    const times = Array.from({ length: 5 }, () => {
      // Of this process: on a machine that others use as well, the clock tells of them.
      const began = process.cpuUsage();
      drawChart(chart);
      const { user, system } = process.cpuUsage(began);
      return (user + system) / 1000;
    });
    const middle = times.toSorted((a, b) => a - b)[2] ?? 0;
    process.stdout.write(`a picture of a week takes ${Math.round(middle)} ms\n`);
    expect(middle).toBeLessThan(300);
  });

  test("shows a name of any length without going over the edge", () => {
    const chart = { ...aChart({ hours: 1, theme: "light", locale: "en", lines: new Map(), isQuiet: true }) };
    const edge = (title: string): number => {
      const png = PNG.sync.read(Buffer.from(drawChart({ ...chart, title })));
      let dark = 0;
      for (let y = 20; y < 70; y++)
        for (let x = png.width - 12; x < png.width; x++)
          if ((png.data[(y * png.width + x) * 4] ?? 255) < 200) dark += 1;
      return dark;
    };
    expect(edge("w".repeat(63))).toBe(0);
    expect(edge("web-1")).toBe(0);
  });
});
