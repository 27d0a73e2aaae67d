import { spelled } from "../read.ts";
import type { Templates } from "./schema.ts";

const placeholder = /\{([^{}]+)\}/g;

/** The value at "a.b.0" of what JSON gave; only what is its own. */
export function valueAt(value: unknown, path: string): unknown {
  return path.split(".").reduce<unknown>((inner, step) => {
    if (typeof inner !== "object" || inner === null || !Object.hasOwn(inner, step)) return undefined;
    return Reflect.get(inner, step);
  }, value);
}

/**
 * The first template whose fields are all there and not empty, with their values; undefined when there is none.
 * `{path|decode}` undoes the encoding of addresses.
 */
export function fill(templates: Templates, item: unknown): string | undefined {
  for (const template of typeof templates === "string" ? [templates] : templates) {
    let isComplete = true;
    const text = template.replaceAll(placeholder, (_match, field: string) => {
      const [path = "", filter] = field.split("|");
      const found = spelled(valueAt(item, path.trim()));
      if (found === undefined || found === "") isComplete = false;
      return filter?.trim() === "decode" ? decoded(found ?? "") : (found ?? "");
    });
    if (isComplete) return text;
  }
  return undefined;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return text;
  }
}
