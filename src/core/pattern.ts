import { createRequire } from "node:module";

/** Whether a whole text is what the pattern says. */
export interface Pattern {
  test(text: string): boolean;
}

/** Longest pattern, UTF-16 units, and the largest program that it may become: `(\d{3}){40}` is short and large. */
const limits = { length: 200, program: 1000 } as const;

/** How many compiled patterns are kept. */
const mostKept = 1000;

const require = createRequire(import.meta.url);

/**
 * A regular expression for the whole of a text, as Prometheus has them: RE2's syntax and its promise that the time
 * grows with the text, not with its square, whatever the pattern is. Hence no backreferences and no lookaround; `.` is
 * any character, `(?i)` in front ignores case.
 * @throws SyntaxError when it is none, is too long or too large.
 */
export function compilePattern(source: string): Pattern {
  const known = compiled.get(source);
  if (known) return known;
  if (source.length > limits.length) throw new SyntaxError(`a pattern has at most ${limits.length} characters`);
  const pattern = compile(source);
  if (compiled.size >= mostKept) compiled.clear();
  compiled.set(source, pattern);
  return pattern;
}

const compiled = new Map<string, Pattern>();

function compile(source: string): Pattern {
  // Loaded at the first pattern: it takes 4 MB, and most processes never see one.
  const { RE2JS } = require("re2js") as typeof import("re2js");
  try {
    const program = RE2JS.compile(source, RE2JS.DOTALL);
    if (program.programSize() > limits.program) throw new SyntaxError("the pattern stands for too much");
    return { test: (text) => program.testExact(text) };
  } catch (error) {
    throw error instanceof SyntaxError ? error : new SyntaxError(String(error), { cause: error });
  }
}
