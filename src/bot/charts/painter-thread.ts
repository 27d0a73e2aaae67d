import { parentPort } from "node:worker_threads";
import { drawChart } from "./draw.ts";
import type { Chart } from "./types.ts";

/** What the thread is given, and what it gives back: a picture, or why there is none. */
export interface PainterOrder {
  readonly id: number;
  readonly chart: Chart;
}

export type PainterAnswer =
  | { readonly id: number; readonly png: Uint8Array }
  | { readonly id: number; readonly problem: string };

parentPort?.on("message", ({ id, chart }: PainterOrder) => {
  let answer: PainterAnswer;
  try {
    answer = { id, png: drawChart(chart) };
  } catch (error) {
    answer = { id, problem: error instanceof Error ? error.message : String(error) };
  }
  parentPort?.postMessage(answer);
});
