import { pino } from "pino";
import { expect, onTestFinished, test } from "vitest";
import { ChartPainter, type PainterOptions } from "../../src/bot/charts/painter.ts";
import { Answers } from "../../src/bot/charts/painter-answers.ts";
import type { Chart } from "../../src/bot/charts/types.ts";
import { aChart } from "../support/charts.ts";

const chart = (hours: number): Chart => aChart({ hours, theme: "dark", locale: "en" });
const isPng = (bytes: Uint8Array): boolean => Buffer.from(bytes.subarray(1, 4)).toString() === "PNG";

function painterOf(options: PainterOptions = {}): ChartPainter {
  const painter = new ChartPainter(pino({ level: "silent" }), options);
  onTestFinished(async () => await painter.close());
  return painter;
}

function kill({ pid }: ChartPainter): void {
  if (pid === undefined) throw new Error("nothing is running");
  process.kill(pid, "SIGKILL");
}

test("pictures are drawn one after the other while the program goes on, and the same one once", async () => {
  const painter = painterOf();
  expect(painter.pid).toBeUndefined();
  await painter.paint(chart(2));
  let longest = 0;
  let last = performance.now();
  const beat = setInterval(() => {
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
  }, 5);
  const began = performance.now();
  const all = await Promise.all([1, 3, 4, 1, 3, 4].map(async (hours) => await painter.paint(chart(hours))));
  const took = performance.now() - began;
  clearInterval(beat);
  expect(all.map(isPng)).toEqual(all.map(() => true));
  expect([all[0] === all[3], all[0] === all[1]]).toEqual([true, false]);
  // The loop was never held up for as long as the drawing took.
  expect(longest).toBeLessThan(took / 2);
});

test("the program goes when nothing is drawn, and comes back", async () => {
  const painter = painterOf({ idleMs: 20 });
  await painter.paint(chart(1));
  await expect.poll(() => painter.pid, { timeout: 30_000 }).toBeUndefined();
  expect(isPng(await painter.paint(chart(1)))).toBe(true);
});

test("more than can be waited for is refused at once, in words for the chat", async () => {
  const painter = painterOf({ mostWaiting: 2 });
  const first = [1, 2].map(async (hours) => await painter.paint(chart(hours)));
  await expect(painter.paint(chart(3))).rejects.toMatchObject({ code: "busy", text: { key: "chart-busy" } });
  expect((await Promise.all(first)).map(isPng)).toEqual([true, true]);
  expect(isPng(await painter.paint(chart(3)))).toBe(true);
});

test("a picture that takes too long is given up, and the next ones are drawn", async () => {
  const hurried = painterOf({ limitMs: 1 });
  await expect(hurried.paint(chart(1))).rejects.toMatchObject({ text: { key: "chart-failed" } });
  expect(hurried.pid).toBeUndefined();
});

test("a program that is killed costs the picture that it was drawing, and no other", async () => {
  const painter = painterOf();
  await painter.paint(chart(1));
  const outcomes = Promise.allSettled([2, 3].map(async (hours) => await painter.paint(chart(hours))));
  kill(painter);
  expect((await outcomes).map(({ status }) => status)).toEqual(["rejected", "fulfilled"]);
  kill(painter);
  await expect.poll(() => painter.pid, { timeout: 30_000 }).toBeUndefined();
  expect(isPng(await painter.paint(chart(2)))).toBe(true);
});

test("the answers of the program are put together of pieces of any size", () => {
  const said = [
    Buffer.from('{"id":1,"bytes":3}\n'),
    Buffer.from([10, 1, 10]),
    Buffer.from('{"id":2,"problem":"x"}\n{"id":3,"bytes":0}\n'),
  ];
  const whole = Buffer.concat(said);
  for (const size of [1, 2, 7, whole.length]) {
    const heard: unknown[] = [];
    const answers = new Answers((answer, png) => heard.push([answer.id, ...png]));
    for (let at = 0; at < whole.length; at += size) answers.add(whole.subarray(at, at + size));
    expect(heard).toEqual([[1, 10, 1, 10], [2], [3]]);
  }
});

test("what cannot be drawn fails alone, and is not remembered", async () => {
  const painter = painterOf();
  const broken = { ...chart(1), timezone: "Nowhere/At-all" };
  const [bad, good] = await Promise.allSettled([painter.paint(broken), painter.paint(chart(1))]);
  expect(bad).toMatchObject({ status: "rejected", reason: { text: { key: "chart-failed" } } });
  expect(good.status).toBe("fulfilled");
  await expect(painter.paint(broken)).rejects.toMatchObject({ code: "internal" });
});

test("whatever is waited for at the end of the program fails", async () => {
  const painter = painterOf();
  const waiting = [1, 2, 3].map(async (hours) => await painter.paint(chart(hours)));
  const outcomes = Promise.allSettled(waiting);
  await painter.close();
  expect((await outcomes).every(({ status }) => status === "rejected")).toBe(true);
  await expect(painter.paint(chart(4))).rejects.toMatchObject({ code: "interrupted" });
  expect(painter.pid).toBeUndefined();
});
