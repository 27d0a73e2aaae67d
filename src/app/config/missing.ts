import { z } from "zod";
import { describeIssue } from "./describe.ts";
import { formatPath, type Path } from "./problems.ts";

/** Stands where a variable has no value while the rest is validated. No YAML text can hold this character. */
const marker = "\u0000missing";

/** What `interpolate` leaves behind for a scalar that cannot be resolved in this process. */
export const missingValue: string = marker;

function at(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (inner, step) => (typeof inner === "object" && inner !== null ? Reflect.get(inner, step) : undefined),
    value,
  );
}

/** A schema may have added to the marker, a slash at the end of a prefix for example. */
const isMarked = (value: unknown) => typeof value === "string" && value.includes(marker);

/** Removes what is missing: keys vanish, so that an optional setting is simply not set. */
function withoutMissing(value: unknown): unknown {
  if (isMarked(value)) return undefined;
  if (Array.isArray(value)) return value.filter((item) => !isMarked(item)).map(withoutMissing);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, item]) => !isMarked(item))
      .map(([key, item]) => [key, withoutMissing(item)]),
  );
}

const step = (key: PropertyKey) => (typeof key === "number" ? key : String(key));

function missingPaths(value: unknown, path: Path = []): Path[] {
  if (isMarked(value)) return [path];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) =>
    missingPaths(item, [...path, Array.isArray(value) ? Number(key) : key]),
  );
}

/** A copy without the settings at these paths. */
function without(value: unknown, paths: readonly Path[]): unknown {
  if (isMarked(value)) return undefined;
  const copy = structuredClone(value);
  for (const path of paths) {
    const parent = at(copy, path.slice(0, -1));
    const last = path.at(-1);
    if (typeof parent === "object" && parent !== null && last !== undefined) Reflect.deleteProperty(parent, last);
  }
  return copy;
}

/** True when the value at this path is missing, or a parent is. */
export function isMissing(data: unknown, path: Path): boolean {
  return path.some((_, index) => at(data, path.slice(0, index + 1)) === marker);
}

function isSame(a: z.core.$ZodIssue, b: z.core.$ZodIssue): boolean {
  return a.message === b.message && formatPath(a.path.map(step)) === formatPath(b.path.map(step));
}

/** Put around what may hold a secret. `drop`: an optional section that is as good as absent when it is incomplete. */
export type Wrap = <T extends z.ZodType>(schema: T, incomplete?: "drop") => T;

/**
 * The schema, tolerating missing variables below it. Only their own complaints are dropped, and whoever needs the
 * value was told before. The result is then what was written, without the missing keys and without defaults.
 */
export const tolerant: Wrap = <T extends z.ZodType>(schema: T, incomplete?: "drop"): T => {
  const wrapped = z.unknown().transform((value, context) => {
    const missing = missingPaths(value);
    const rest = schema.safeParse(without(value, missing), { error: describeIssue });
    if (rest.success) return rest.data;
    // Settings that may not be left out: where the marker fits in their place, the defaults of the others are kept.
    const required: Path[] = [];
    // What is said only because something is missing (that one of two is needed) is no complaint of its own.
    const kept = schema.safeParse(value, { error: describeIssue });
    const isOwn = (issue: z.core.$ZodIssue): boolean =>
      !kept.success && kept.error.issues.some((one) => isSame(one, issue));
    for (const issue of rest.error.issues) {
      const { path, message } = issue;
      const found = missing.find((candidate) => formatPath(candidate) === formatPath(path.map(step)));
      if (found) required.push(found);
      else if (missing.length === 0 || isOwn(issue))
        context.issues.push({ code: "custom", message, path: [...path], input: undefined });
    }
    const optional = missing.filter((path) => !required.includes(path));
    const marked = schema.safeParse(without(value, optional));
    if (marked.success) return withoutMissing(marked.data);
    if (kept.success) return withoutMissing(kept.data);
    return incomplete === "drop" ? undefined : withoutMissing(value);
  });
  // The wrapper gives the schema's own output wherever the value is needed; elsewhere nobody reads it.
  return wrapped as unknown as T;
};

/** Leaves a schema as it is: for the editor's JSON Schema and for types. */
export const exact: Wrap = (schema) => schema;
