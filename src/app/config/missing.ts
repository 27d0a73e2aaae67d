import { z } from "zod";
import { describeIssue } from "./describe.ts";
import type { Path } from "./problems.ts";

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

/** Removes what is missing: keys vanish, so that an optional setting is simply not set. */
function withoutMissing(value: unknown): unknown {
  if (value === marker) return undefined;
  if (Array.isArray(value)) return value.filter((item) => item !== marker).map(withoutMissing);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, item]) => item !== marker)
      .map(([key, item]) => [key, withoutMissing(item)]),
  );
}

/** True when the value at this path is missing, or a parent is. */
export function isMissing(data: unknown, path: Path): boolean {
  return path.some((_, index) => at(data, path.slice(0, index + 1)) === marker);
}

/** Put around what may hold a secret. `drop`: an optional section that is as good as absent when it is incomplete. */
export type Wrap = <T extends z.ZodType>(schema: T, incomplete?: "drop") => T;

/**
 * The schema, tolerating missing variables below it. Only their own complaints are dropped, and whoever needs the
 * value was told before. The result is then what was written, without the missing keys and without defaults.
 */
export const tolerant: Wrap = <T extends z.ZodType>(schema: T, incomplete?: "drop"): T => {
  const wrapped = z.unknown().transform((value, context) => {
    const result = schema.safeParse(value, { error: describeIssue });
    if (result.success) return withoutMissing(result.data);
    for (const { path, message } of result.error.issues) {
      if (at(value, path) !== marker)
        context.issues.push({ code: "custom", message, path: [...path], input: undefined });
    }
    return incomplete === "drop" ? undefined : withoutMissing(value);
  });
  // The wrapper gives the schema's own output wherever the value is needed; elsewhere nobody reads it.
  return wrapped as unknown as T;
};

/** Leaves a schema as it is: for the editor's JSON Schema and for types. */
export const exact: Wrap = (schema) => schema;
