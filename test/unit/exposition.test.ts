import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Exposition, type Metric } from "../../src/providers/node-exporter/exposition.ts";

/** What is read of a text that comes in pieces of so many bytes. */
function read(text: string, pieces = 7): { metrics: Metric[]; all: number; unreadable: number } {
  const metrics: Metric[] = [];
  const reader = new Exposition(new Set(["a", "b_total", "up:x"]), (metric) => metrics.push(metric));
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += pieces) reader.write(bytes.subarray(at, at + pieces));
  reader.end();
  return { metrics, all: reader.metrics, unreadable: reader.unreadable };
}

const one = (line: string): Metric | undefined => read(line).metrics[0];

describe("the text of an exporter", () => {
  it("is read line by line, wherever it is cut into pieces", () => {
    const text = '# HELP a A thing.\n# TYPE a gauge\na 1\nb_total{device="eth0"} 2.5e+06\nother{x="y"} 3\n\nup:x 0\n';
    const whole = read(text, 1e6);
    expect(whole).toEqual({
      metrics: [
        { name: "a", labels: {}, value: 1 },
        { name: "b_total", labels: { device: "eth0" }, value: 2_500_000 },
        { name: "up:x", labels: {}, value: 0 },
      ],
      all: 4,
      unreadable: 0,
    });
    for (let pieces = 1; pieces < text.length; pieces += 1) expect(read(text, pieces)).toEqual(whole);
  });

  it("may have escapes, braces, commas and other alphabets in its labels", () => {
    expect(one('a{path="C:\\\\dir\\"x\\" }, {",name="line\\nbreak",город="нет"} 1')).toBeUndefined();
    expect(one('a{path="C:\\\\dir\\"x\\" }, {",name="line\\nbreak",city="Томск"} 1')).toEqual({
      name: "a",
      labels: { path: 'C:\\dir"x" }, {', name: "line\nbreak", city: "Томск" },
      value: 1,
    });
  });

  it("may have blanks, a comma at the end, no labels between the braces", () => {
    expect(one(' a { x = "1" , y="2", }   7 ')).toEqual({ name: "a", labels: { x: "1", y: "2" }, value: 7 });
    expect(one("a{} 7")).toEqual({ name: "a", labels: {}, value: 7 });
    expect(one('a{x="1"}7')).toEqual({ name: "a", labels: { x: "1" }, value: 7 });
    expect(one("a\t7\r")).toEqual({ name: "a", labels: {}, value: 7 });
  });

  it("may have timestamps, exemplars and the end of OpenMetrics", () => {
    expect(one("a 7 1700000000000")?.value).toBe(7);
    expect(one('b_total{x="1"} 7 1.7e9 # {trace_id="ab c"} 0.5 1.7e9')?.value).toBe(7);
    expect(read("a 7\n# EOF\n")).toMatchObject({ all: 1, unreadable: 0 });
  });

  it.each([
    ["+Inf", Number.POSITIVE_INFINITY],
    ["-Inf", Number.NEGATIVE_INFINITY],
    ["Inf", Number.POSITIVE_INFINITY],
    ["NaN", Number.NaN],
    ["1.5e-3", 0.0015],
    ["-0", -0],
    [".5", 0.5],
    ["5.", 5],
    ["12345678901234567000", 12345678901234567000],
  ])("may have the number %s", (text, value) => {
    expect(one(`a ${text}`)?.value).toBe(value);
  });

  it.each([
    "a",
    "a{",
    'a{x="1" 5',
    "a{x=1} 5",
    "a five",
    "a 0x10",
    "a 1_000",
    "<html>",
    "{}",
    "a,b 5",
    "b_total{x=} 1",
  ])("has nothing to say with %j", (line) => {
    expect(read(`${line}\na 1\n`)).toMatchObject({ metrics: [{ name: "a", value: 1 }], unreadable: 1 });
  });

  it("passes over a line that is far too long, and reads on after it", () => {
    const { metrics, unreadable } = read(`a{x="${"y".repeat(200_000)}"} 1\nb_total 2\n`, 50_000);
    expect(metrics).toEqual([{ name: "b_total", labels: {}, value: 2 }]);
    expect(unreadable).toBe(1);
  });

  it("takes in a last line without an end", () => {
    expect(read("a 1\nb_total 2").metrics).toHaveLength(2);
  });

  it("never fails, and never gives a metric of which nobody asked", () => {
    const whole = ["\na 1\n", '\nb_total{a="b"} 2\n', "\na{} "];
    const token = fc.constantFrom(
      ...whole,
      "a",
      "{",
      "}",
      '"',
      "\\",
      "=",
      ",",
      " ",
      "\n",
      "1",
      "e",
      "#",
      "\u0000",
      "ж",
    );
    fc.assert(
      fc.property(fc.array(token, { maxLength: 60 }), fc.integer({ min: 1, max: 9 }), (tokens, pieces) => {
        const { metrics } = read(tokens.join(""), pieces);
        for (const { name, value } of metrics) {
          expect(["a", "b_total"]).toContain(name);
          expect(typeof value).toBe("number");
        }
      }),
      { numRuns: 1000 },
    );
  });
});
