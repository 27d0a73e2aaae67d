import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseEnv } from "node:util";

export type Environment = Readonly<Record<string, string | undefined>>;

/** What a variable gave: its value, or why there is none. An empty variable counts as not set. */
export type Lookup =
  | { readonly kind: "value"; readonly value: string }
  | { readonly kind: "unset" }
  /** Both `NAME` and `NAME_FILE` are set. */
  | { readonly kind: "both" }
  /** The file that `NAME_FILE` names cannot be read; `reason` is the system's code (`ENOENT`). */
  | { readonly kind: "unreadable"; readonly reason: string };

/**
 * The environment together with `.env` beside the configuration file, when there is one. What the process was given
 * wins: a variable set there as `NAME` or `NAME_FILE` hides both forms in the file.
 * Unlike `process.loadEnvFile` this leaves the process's own environment alone, so that children inherit none of it.
 * @throws the system's error when `.env` exists and cannot be read.
 */
export function withEnvFile(env: Environment, configFile: string): Environment {
  const file = join(dirname(configFile), ".env");
  if (!existsSync(file)) return env;
  const merged: Record<string, string | undefined> = { ...env };
  for (const [name, value] of Object.entries(parseEnv(readFileSync(file, "utf8")))) {
    const base = name.endsWith("_FILE") ? name.slice(0, -"_FILE".length) : name;
    if (!env[base] && !env[`${base}_FILE`]) merged[name] = value;
  }
  return merged;
}

/** Looks a variable up as `NAME`, then as the file that `NAME_FILE` names (one trailing newline is cut off). */
export function lookUp(env: Environment, name: string): Lookup {
  const value = env[name];
  const file = env[`${name}_FILE`];
  if (value && file) return { kind: "both" };
  if (value) return { kind: "value", value };
  if (!file) return { kind: "unset" };
  try {
    const content = readFileSync(file, "utf8").replace(/\r?\n$/, "");
    return content === "" ? { kind: "unset" } : { kind: "value", value: content };
  } catch (error) {
    const reason = error instanceof Error && "code" in error ? String(error.code) : "error";
    return { kind: "unreadable", reason };
  }
}
