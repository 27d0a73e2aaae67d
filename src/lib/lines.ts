import type { Readable } from "node:stream";

/** Hands a text on line by line, without its newlines; of a line, no more than `most` characters are kept meanwhile. */
export function eachLine(text: Readable, most: number, take: (line: string) => void): void {
  let rest = "";
  text.setEncoding("utf8");
  text.on("data", (chunk: string) => {
    const lines = (rest + chunk).split("\n");
    rest = (lines.pop() ?? "").slice(0, most);
    for (const line of lines) take(line);
  });
  text.once("end", () => {
    if (rest !== "") take(rest);
  });
}
