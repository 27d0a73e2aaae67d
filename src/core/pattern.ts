/** Whether a whole text is what the pattern says. */
export interface Pattern {
  test(text: string): boolean;
}

/** Longest pattern, UTF-16 units, and the most states that it may stand for: `(\d{3}){40}` is short and large. */
const limits = { length: 200, states: 250 } as const;

/**
 * A regular expression for the whole of a text, as Prometheus has them: the time that it takes grows with the text, not
 * with its square, whatever the pattern is. Hence no backreferences and no lookaround; `(?i)` in front ignores case.
 * @throws SyntaxError when it is none, is too long, or asks for what there is not.
 */
export function compilePattern(source: string): Pattern {
  const known = compiled.get(source);
  if (known) return known;
  if (source.length > limits.length) throw new SyntaxError(`a pattern has at most ${limits.length} characters`);
  const ignoresCase = source.startsWith("(?i)");
  const body = ignoresCase ? source.slice(4) : source;
  const flags = ignoresCase ? "isu" : "su";
  const pattern = new Automaton(new Parser(body, flags).parse());
  if (compiled.size >= 1000) compiled.clear();
  compiled.set(source, pattern);
  return pattern;
}

const compiled = new Map<string, Pattern>();

type Node =
  | { readonly kind: "one"; readonly takes: (character: string) => boolean }
  | { readonly kind: "place"; readonly holds: (before: string, after: string) => boolean }
  | { readonly kind: "row" | "choice"; readonly of: readonly Node[] }
  | { readonly kind: "times"; readonly of: Node; readonly least: number; readonly most: number };

/** What stands for one character or one place; sticky, tried in this order. */
const quantifier = /(?:[*+?]|\{(\d+)(,?)(\d*)\})\??/y;
const opening = /\((?:\?:|\?<[^=!>][^>]*>|(?!\?))/y;
const single =
  /\[(?:[^\]\\]|\\.)*\]|\\(?:[pP]\{[^}]*\}|u\{[^}]*\}|u[dD][89abAB]..\\u[dD][c-fC-F]..|u....|x..|c.|.)|./suy;
const word = /\w/;

/** Reads the structure; what stands for one character is left to the engine. */
class Parser {
  readonly #source: string;
  readonly #flags: string;
  #at = 0;

  /** @throws SyntaxError, in the engine's own words, for what is no regular expression at all. */
  constructor(source: string, flags: string) {
    new RegExp(source, flags).test("");
    this.#source = source;
    this.#flags = flags;
  }

  parse(): Node {
    const choices: Node[] = [];
    do choices.push(this.#row());
    while (this.#take("|"));
    return choices.length === 1 && choices[0] ? choices[0] : { kind: "choice", of: choices };
  }

  #row(): Node {
    const of: Node[] = [];
    while (this.#at < this.#source.length && !"|)".includes(this.#source[this.#at] ?? "")) of.push(this.#counted());
    return { kind: "row", of };
  }

  #counted(): Node {
    const of = this.#atom();
    const found = this.#match(quantifier);
    if (!found) return of;
    const [text, least = "", comma, most = ""] = found;
    const unlimited = Number.POSITIVE_INFINITY;
    if (text.startsWith("{"))
      return {
        kind: "times",
        of,
        least: Number(least),
        most: most !== "" ? Number(most) : comma ? unlimited : Number(least),
      };
    return { kind: "times", of, least: text.startsWith("+") ? 1 : 0, most: text.startsWith("?") ? 1 : unlimited };
  }

  #atom(): Node {
    if (this.#source[this.#at] === "(") {
      if (!this.#match(opening)) throw new SyntaxError("lookaround and flags within a pattern are not possible");
      const inner = this.parse();
      this.#take(")");
      return inner;
    }
    const [text = ""] = this.#match(single) ?? [];
    if (/^\\(?:[1-9]|k)/.test(text)) throw new SyntaxError("backreferences are not possible");
    if (text === "^") return { kind: "place", holds: (before) => before === "" };
    if (text === "$") return { kind: "place", holds: (_before, after) => after === "" };
    if (text === "\\b") return { kind: "place", holds: (before, after) => word.test(before) !== word.test(after) };
    if (text === "\\B") return { kind: "place", holds: (before, after) => word.test(before) === word.test(after) };
    if (text === ".") return { kind: "one", takes: () => true };
    if (!/^[[\\]/.test(text) && !this.#flags.includes("i")) return { kind: "one", takes: (one) => one === text };
    const regex = new RegExp(`^${text}$`, this.#flags);
    return { kind: "one", takes: (one) => regex.test(one) };
  }

  #take(character: string): boolean {
    if (this.#source[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }

  #match(regex: RegExp): RegExpExecArray | null {
    regex.lastIndex = this.#at;
    const found = regex.exec(this.#source);
    if (found) this.#at = regex.lastIndex;
    return found;
  }
}

/** One step: takes a character, holds at a place, or goes on in several ways at once. No `next`: the end. */
interface State {
  readonly node?: Exclude<Node, { readonly kind: "row" | "choice" | "times" }>;
  readonly next: number[];
}

/** The state in which everything was taken. */
const end = 0;

/** All ways through the pattern at once, character by character: each state is looked at once for each of them. */
class Automaton implements Pattern {
  readonly #states: State[] = [{ next: [] }];
  readonly #start: number;

  constructor(pattern: Node) {
    this.#start = this.#add(pattern, end);
  }

  test(text: string): boolean {
    const characters = Array.from(text);
    let active = this.#reach(new Set([this.#start]), "", characters[0] ?? "");
    for (const [index, character] of characters.entries()) {
      const moved = new Set<number>();
      for (const at of active) {
        const { node, next = [] } = this.#states[at] ?? {};
        if (node?.kind === "one" && node.takes(character)) for (const one of next) moved.add(one);
      }
      if (moved.size === 0) return false;
      active = this.#reach(moved, character, characters[index + 1] ?? "");
    }
    return active.has(end);
  }

  /** Adds the states that can be reached without taking a character: a set is walked through to what is added meanwhile. */
  #reach(states: Set<number>, before: string, after: string): ReadonlySet<number> {
    for (const at of states) {
      const { node, next = [] } = this.#states[at] ?? {};
      if (!node || (node.kind === "place" && node.holds(before, after))) for (const one of next) states.add(one);
    }
    return states;
  }

  #push(state: State): number {
    if (this.#states.length >= limits.states) throw new SyntaxError("the pattern is too large");
    return this.#states.push(state) - 1;
  }

  /** Adds what leads through `node` to the state `next`. Returns where it begins. */
  #add(node: Node, next: number): number {
    switch (node.kind) {
      case "one":
      case "place":
        return this.#push({ node, next: [next] });
      case "row":
        return node.of.reduceRight((behind, one) => this.#add(one, behind), next);
      case "choice":
        return this.#push({ next: node.of.map((one) => this.#add(one, next)) });
      case "times": {
        const { of, least, most } = node;
        let begin = next;
        if (most === Number.POSITIVE_INFINITY) {
          const ways = [next];
          begin = this.#push({ next: ways });
          ways.unshift(this.#add(of, begin));
        } else for (let n = least; n < most; n++) begin = this.#push({ next: [this.#add(of, begin), next] });
        for (let n = 0; n < least; n++) begin = this.#push({ next: [this.#add(of, begin)] });
        return begin;
      }
    }
  }
}
