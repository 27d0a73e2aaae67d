import { readFileSync } from "node:fs";
import { type Document, isAlias, isMap, isNode, isScalar, isSeq, LineCounter, parseDocument, visit } from "yaml";
import type { Path, Problem } from "./problems.ts";

export interface Position {
  readonly line: number;
  readonly column: number;
}

/** A configuration file as it was read: plain data, and where each of its keys stands. */
export interface ConfigDocument {
  readonly data: Readonly<Record<string, unknown>>;
  /** Place of a path's value (`key`: of its key), or of the nearest thing above it that exists. */
  locate(path: Path, key?: boolean): Position;
}

/** The sentence for a YAML error; the library's own messages quote the text, which may be a secret. */
const syntaxKeys: Readonly<Record<string, string>> = {
  DUPLICATE_KEY: "config-yaml-duplicate-key",
  TAB_AS_INDENT: "config-yaml-tab",
  BAD_INDENT: "config-yaml-indent",
  MULTIPLE_DOCS: "config-yaml-documents",
  MISSING_CHAR: "config-yaml-missing-char",
  BAD_ALIAS: "config-yaml-alias",
};

const top = (key: string, args: Problem["args"] = {}): Problem[] => [{ path: [], key, args }];

/** Reads and parses the file, or says why not. */
export function readDocument(file: string): ConfigDocument | { readonly problems: readonly Problem[] } {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "error";
    if (code === "ENOENT") return { problems: top("config-no-file") };
    if (code === "EISDIR") return { problems: top("config-is-directory") };
    return { problems: top("config-unreadable", { reason: code }) };
  }
  let text: string;
  try {
    // Also drops a byte order mark.
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return { problems: top("config-not-utf8") };
  }
  return parseText(text);
}

/** Parses YAML text. */
export function parseText(text: string): ConfigDocument | { readonly problems: readonly Problem[] } {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, stringKeys: true, merge: true });
  const at = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  if (document.errors.length > 0) return { problems: syntaxProblems(document, at) };
  let data: unknown;
  try {
    data = document.toJS();
  } catch {
    // Only aliases can fail here: unknown ones, or so many that they would fill the memory.
    return { problems: aliasProblems(document, at) };
  }
  if (data === null || data === undefined) return { problems: top("config-empty") };
  if (typeof data !== "object" || Array.isArray(data)) {
    return { problems: top("config-not-mapping") };
  }
  return {
    data: { ...data },
    locate: (path, key = false) => at(offsetOf(document, path, key)),
  };
}

/** All repeated keys, but only the first mistake of form: the parser stumbles over it again and again. */
function syntaxProblems({ errors }: Document.Parsed, at: (offset: number) => Position): Problem[] {
  const repeated = errors.filter(({ code }) => code === "DUPLICATE_KEY");
  const first = errors.find(({ code }) => code !== "DUPLICATE_KEY");
  return (first ? [first] : repeated).map(({ code, pos }) => {
    return { path: [], key: syntaxKeys[code] ?? "config-yaml-syntax", args: { code }, ...at(pos[0]) };
  });
}

function aliasProblems(document: Document.Parsed, at: (offset: number) => Position): Problem[] {
  const offsets: number[] = [];
  visit(document, {
    Alias: (_, alias) => {
      if (!alias.resolve(document)) offsets.push(alias.range?.[0] ?? 0);
    },
  });
  const places = offsets.length > 0 ? offsets.map(at) : [{}];
  return places.map((place) => ({ path: [], key: "config-yaml-alias", args: {}, ...place }));
}

/** The node at a step below another, and where its key or (in a list) it itself begins. */
function child(parent: unknown, step: string | number): { node: unknown; begin?: number | undefined } {
  if (isMap(parent)) {
    const pair = parent.items.find(({ key }) => isScalar(key) && key.value === String(step));
    return { node: pair?.value, begin: isScalar(pair?.key) ? pair.key.range?.[0] : undefined };
  }
  const node = isSeq(parent) ? parent.items[Number(step)] : undefined;
  return { node, begin: isNode(node) ? node.range?.[0] : undefined };
}

function offsetOf(document: Document.Parsed, path: Path, key: boolean): number {
  let node: unknown = document.contents;
  let offset = document.contents?.range[0] ?? 0;
  for (const step of path) {
    const found = child(isAlias(node) ? node.resolve(document) : node, step);
    if (found.begin === undefined) return offset;
    offset = found.begin;
    node = found.node;
  }
  // A block mapping begins on the line after its key; the key is where the reader looks.
  return !key && isScalar(node) ? (node.range?.[0] ?? offset) : offset;
}
