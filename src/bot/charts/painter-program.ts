/**
 * Draws pictures for the bot, in a process of its own: the memory that this takes is the system's again when it ends,
 * and the bot goes on answering meanwhile. A line of JSON with each order comes in; for each a line of JSON goes out,
 * behind it the picture. It ends when nobody is there any more to give orders.
 */
import { createInterface } from "node:readline";
import { drawChart } from "./draw.ts";
import type { PainterAnswer, PainterOrder } from "./painter.ts";

for await (const line of createInterface({ input: process.stdin })) {
  const { id, chart } = JSON.parse(line) as PainterOrder;
  let answer: PainterAnswer;
  let png: Uint8Array = new Uint8Array();
  try {
    png = drawChart(chart);
    answer = { id, bytes: png.length };
  } catch (error) {
    answer = { id, problem: error instanceof Error ? error.message : String(error) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
  process.stdout.write(png);
}
