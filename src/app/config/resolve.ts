import type { Environment } from "./environment.ts";
import { type Fault, type Interpolated, interpolate } from "./interpolate.ts";
import { missingValue } from "./missing.ts";
import { formatPath, type Path, type Problem } from "./problems.ts";
import { laterKeys } from "./schema.ts";

/** What a process needs of the configuration; variables of the rest may be unset. */
export type Requirement =
  /** The bot: with the chats, everything that arrives there or is sent from there over HTTP. */
  | "telegram"
  /** Every process that lives on needs it and listens too: so this includes the token of the HTTP server. */
  | "redis"
  | "storages"
  /** Reading the sources, and the recipients for what is written. */
  | "sources"
  /** Accounts of server providers, and what servers want to know before they answer. */
  | "providers"
  /** Decrypting. Optional as a setting, but no longer when it is written. */
  | "encryption-identity";

export const allRequirements: readonly Requirement[] = [
  "telegram",
  "redis",
  "storages",
  "sources",
  "providers",
  "encryption-identity",
];

/** Which part of the program reads a path. */
function readerOf(path: Path): Requirement | "all" | "nobody" {
  const [first, second, third] = path;
  if (laterKeys.some((key) => key === first)) return "nobody";
  switch (first) {
    case "telegram":
    case "storages":
    case "providers":
      return first;
    case "redis":
      return second === "url" ? "redis" : "all";
    case "http":
      // A forgotten variable must not leave an endpoint open.
      return second === "token" ? "redis" : "all";
    case "heartbeats":
      return third === "key" ? "telegram" : "all";
    case "heartbeat":
      return second === "url" ? "telegram" : "all";
    case "hooks":
      return path.at(-1) === "secret" ? "telegram" : "all";
    case "encryption":
      return second === "identity" ? "encryption-identity" : "sources";
    case "servers":
      return ["name", "provider", "labels", "host"].some((key) => key === third) ? "all" : "providers";
    case "backups":
      return third === "source" || path.at(-1) === "scratch" ? "sources" : "all";
    default:
      return "all";
  }
}

export interface Resolved {
  readonly data: Readonly<Record<string, unknown>>;
  readonly problems: readonly Problem[];
  /** Paths (formatted) of scalars that are one whole `${...}`: these may become numbers and booleans. */
  readonly whole: ReadonlySet<string>;
  /** Paths (formatted) of scalars without a value; those that this process needs are problems as well. */
  readonly missing: readonly string[];
}

/**
 * Interpolates every string of the data. A variable without a value is a problem only when `requires` names who reads
 * it; elsewhere `missingValue` takes its place. `onValue` is told every string and which parts came from outside.
 */
export function resolveVariables(
  data: Readonly<Record<string, unknown>>,
  env: Environment,
  requires: readonly Requirement[],
  onValue: (path: Path, text: string, fromEnvironment: readonly string[]) => void,
): Resolved {
  const problems: Problem[] = [];
  const whole = new Set<string>();
  const missing: string[] = [];

  const scalar = (text: string, path: Path): unknown => {
    const found = interpolate(text, env);
    onValue(path, found?.text ?? text, found?.values ?? []);
    if (!found) return text;
    problems.push(...faultProblems(found, path, requires));
    if (found.faults.length > 0) {
      missing.push(formatPath(path));
      return missingValue;
    }
    if (found.whole) whole.add(formatPath(path));
    return found.whole && found.text === "" ? undefined : found.text;
  };

  const walk = (value: unknown, path: Path): unknown => {
    if (typeof value === "string") return scalar(value, path);
    if (Array.isArray(value)) return value.map((item, index) => walk(item, [...path, index]) ?? "");
    if (typeof value !== "object" || value === null) return value;
    const entries = Object.entries(value).map(([key, item]) => [key, walk(item, [...path, key])] as const);
    return Object.fromEntries(entries.filter(([, item]) => item !== undefined));
  };

  return { data: { ...(walk(data, []) as Record<string, unknown>) }, problems, whole, missing };
}

function faultProblems(found: Interpolated, path: Path, requires: readonly Requirement[]): Problem[] {
  const reader = readerOf(path);
  const needed = reader === "all" || (reader !== "nobody" && requires.includes(reader));
  // A variable set in two ways and a malformed reference are mistakes in whatever process they are seen.
  const isProblem = (fault: Fault) => needed || fault.kind === "both" || fault.kind === "syntax";
  return found.faults.filter(isProblem).map((fault) => ({
    path,
    key: `config-variable-${fault.kind}`,
    args: { name: fault.name, reason: fault.reason ?? "" },
  }));
}
