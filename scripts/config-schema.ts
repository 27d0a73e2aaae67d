/**
 * Writes `docs/vakhta.schema.json`, with which editors complete and check `vakhta.yaml`. It is made from the schemas
 * that the program itself validates with; a test fails when the file is not current.
 */
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { exact } from "../src/app/config/missing.ts";
import { configSchema } from "../src/app/config/schema.ts";

type JsonSchema = z.core.JSONSchema.JSONSchema;

/** A variable may stand wherever a text stands that is more than any text. */
const variable = { type: "string", pattern: "\\$\\{[^}]+\\}" } as const;

const isNarrow = ({ type, pattern, format, enum: values, ...schema }: JsonSchema) =>
  type === "number" ||
  type === "integer" ||
  type === "boolean" ||
  (type === "string" && ((pattern ?? format ?? values ?? schema.allOf) !== undefined || (schema.minLength ?? 0) > 1));

/** Adds the variable to every value that has a narrower form; keys are not interpolated. */
function withVariables(schema: JsonSchema): JsonSchema {
  const { properties, additionalProperties, items, anyOf, oneOf, ...rest } = schema;
  const result: JsonSchema = { ...rest };
  const inner = (value: unknown) =>
    typeof value === "object" && value !== null ? withVariables(value as JsonSchema) : value;
  if (properties) {
    const entries = Object.entries(properties).map(([key, value]) => [key, inner(value)]);
    result.properties = Object.fromEntries(entries);
  }
  if (additionalProperties !== undefined)
    result.additionalProperties = inner(additionalProperties) as JsonSchema | boolean;
  if (items !== undefined) result.items = inner(items) as JsonSchema;
  if (anyOf) result.anyOf = anyOf.map((value) => withVariables(value));
  if (oneOf) result.oneOf = oneOf.map((value) => withVariables(value));
  if (!isNarrow(result)) return result;
  const { description, default: preset, ...value } = result;
  return {
    ...(description === undefined ? {} : { description }),
    ...(preset === undefined ? {} : { default: preset }),
    anyOf: [value, variable],
  };
}

/** The whole content of `docs/vakhta.schema.json`. */
export function configJsonSchema(): string {
  const schema = z.toJSONSchema(configSchema(exact), { io: "input", unrepresentable: "any" });
  return `${JSON.stringify({ ...withVariables(schema), title: "Configuration of Vakhta" }, undefined, 2)}\n`;
}

/** Where it is kept. */
export const configSchemaFile = fileURLToPath(new URL("../docs/vakhta.schema.json", import.meta.url));

if (import.meta.main) writeFileSync(configSchemaFile, configJsonSchema());
