import type { z } from "zod";
import type { MessageArgs } from "../../messages/index.ts";
import { nearest, type Path } from "./problems.ts";

/** What a zod issue says, as a message key; it travels as JSON in the issue's `message`, so that it survives nesting. */
interface Description {
  readonly key: string;
  readonly args: MessageArgs;
  readonly atKey?: true;
  /** Unknown keys: each becomes a problem of its own. */
  readonly unknown?: readonly { readonly name: string; readonly suggestion: string }[];
  /** What is wrong with the one alternative that was meant, told instead. */
  readonly meant?: readonly IssueLike[];
}

interface IssueLike {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

type RawIssue = Parameters<z.core.$ZodErrorMap>[0];

const keyPattern = /^config-problem-[a-z0-9-]+$/;

/** zod's error map: describes an issue without ever looking at the value, apart from whether there is one. */
export function describeIssue(issue: RawIssue): string {
  return JSON.stringify(description(issue));
}

function description(issue: RawIssue): Description {
  switch (issue.code) {
    case "invalid_type":
      if (issue.input === undefined) return { key: "config-problem-required", args: { expected: issue.expected } };
      return { key: "config-problem-type", args: { expected: issue.expected } };
    case "invalid_value":
      if (issue.input === undefined)
        return { key: "config-problem-required-one-of", args: { values: list(issue.values) } };
      return { key: "config-problem-one-of", args: { values: list(issue.values) } };
    case "unrecognized_keys":
      return { key: "config-problem-unknown-key", args: {}, unknown: suggestions(issue) };
    case "invalid_union": {
      const options = "options" in issue && Array.isArray(issue.options) ? issue.options : [];
      if (options.length > 0) return { key: "config-problem-one-of", args: { values: list(options) } };
      const meant = "errors" in issue && Array.isArray(issue.errors) ? meantOf(issue.errors) : undefined;
      return { key: "config-problem-other", args: {}, ...(meant ? { meant } : {}) };
    }
    case "too_small":
      return tooSmall(issue.origin, Number(issue.minimum));
    case "too_big":
      return { key: "config-problem-max", args: { maximum: Number(issue.maximum) } };
    case "invalid_format":
      return { key: "config-problem-format", args: { format: issue.format } };
    case "invalid_key": {
      const [{ message = "" } = {}] =
        "issues" in issue ? (issue.issues as readonly { readonly message?: string }[]) : [];
      return { key: keyPattern.test(message) ? message : "config-problem-name", args: {}, atKey: true };
    }
    default:
      return { key: "config-problem-other", args: {} };
  }
}

function tooSmall(origin: string, minimum: number): Description {
  if (origin === "string" && minimum > 1) return { key: "config-problem-short", args: { minimum } };
  if (origin === "string" || origin === "array") return { key: "config-problem-empty", args: {} };
  return { key: "config-problem-min", args: { minimum } };
}

/** The issues of the only alternative whose kind of value this is; undefined when there is none or several. */
function meantOf(alternatives: readonly (readonly z.core.$ZodIssue[])[]): IssueLike[] | undefined {
  const isOther = ({ path, code }: z.core.$ZodIssue) =>
    path.length === 0 && (code === "invalid_type" || code === "invalid_value");
  const [meant, ...others] = alternatives.filter((issues) => !issues.some(isOther));
  return others.length > 0 ? undefined : meant?.map(({ path, message }) => ({ path, message }));
}

const list = (values: readonly unknown[]) => values.map(String).join(", ");

function suggestions(issue: RawIssue & { code: "unrecognized_keys" }) {
  const definition = issue.inst?._zod.def;
  const shape = definition && "shape" in definition ? definition.shape : undefined;
  const known = typeof shape === "object" && shape !== null ? Object.keys(shape) : [];
  const names = "keys" in issue ? (issue.keys as readonly string[]) : [];
  return names.map((name) => ({ name, suggestion: nearest(name, known) ?? list(known) }));
}

export interface Described {
  readonly path: Path;
  readonly key: string;
  readonly args: MessageArgs;
  /** The problem is the key itself. */
  readonly atKey: boolean;
}

/** Reads an issue's message back: a description, or the key of a sentence (from a check of our own). */
export function readIssue(issue: IssueLike): Described[] {
  const path = issue.path.map((step) => (typeof step === "number" ? step : String(step)));
  if (keyPattern.test(issue.message)) return [{ path, key: issue.message, args: {}, atKey: false }];
  if (!issue.message.startsWith('{"key":')) return [{ path, key: "config-problem-other", args: {}, atKey: false }];
  const { key, args, unknown, meant, atKey = false } = JSON.parse(issue.message) as Description;
  if (meant) return meant.flatMap((inner) => readIssue({ path: [...path, ...inner.path], message: inner.message }));
  if (!unknown) return [{ path, key, args, atKey }];
  return unknown.map(({ name, suggestion }) => {
    const unknownKey = suggestion === "" ? "config-problem-unknown-key-none" : key;
    return { path: [...path, name], key: unknownKey, args: { suggestion }, atKey: true };
  });
}
