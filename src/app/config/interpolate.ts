import { type Environment, lookUp } from "./environment.ts";

/** Why a scalar has no value yet. */
export interface Fault {
  readonly kind: "unset" | "both" | "unreadable" | "syntax";
  /** The variable; empty for `syntax`. */
  readonly name: string;
  readonly reason?: string;
}

export interface Interpolated {
  readonly text: string;
  /** Values that came from the environment (not defaults). */
  readonly values: readonly string[];
  /** True when the whole scalar is one `${...}`: only then it may become a number or a boolean, or vanish when empty. */
  readonly whole: boolean;
  readonly faults: readonly Fault[];
}

const pattern = /\$\$\{|\$\{([^}]*)(\}?)/g;
const reference = /^([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s;

/**
 * Replaces `${NAME}` and `${NAME:-default}`; `$${` stands for `${` itself. Works on one scalar after the YAML was
 * parsed, so that no value can break the YAML. Undefined when the text refers to nothing.
 */
export function interpolate(text: string, env: Environment): Interpolated | undefined {
  if (!text.includes("${")) return undefined;
  const values: string[] = [];
  const faults: Fault[] = [];
  const result = text.replaceAll(pattern, (match: string, inner: string | undefined, closed: string | undefined) => {
    if (inner === undefined) return "${";
    const [, name, fallback] = reference.exec(inner) ?? [];
    if (closed === "" || name === undefined) {
      faults.push({ kind: "syntax", name: "" });
      return match;
    }
    const found = lookUp(env, name);
    if (found.kind === "value") {
      values.push(found.value);
      return found.value;
    }
    if (found.kind === "unset" && fallback !== undefined) return fallback;
    faults.push({ kind: found.kind, name, ...(found.kind === "unreadable" ? { reason: found.reason } : {}) });
    return "";
  });
  return { text: result, values, whole: /^\$\{[^}]*\}$/.test(text), faults };
}
