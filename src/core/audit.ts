import { createHash } from "node:crypto";
import type { Person } from "./run.ts";

/**
 * What an entry is about. `stranger`: people who are not on the list, or speak where nobody may. `cli`: what somebody has done at
 * a command line, whose keys are their authority.
 */
export const auditKinds = [
  "approval",
  "stranger",
  "pin",
  "prune",
  "link",
  "silence",
  "cli",
  "restore",
  "power",
] as const;
export type AuditKind = (typeof auditKinds)[number];

/** One line of the audit log: who did what to what, and when. Never a secret, never an argument's value. */
export interface AuditEntry {
  /** ISO 8601, by our clock. */
  readonly at: string;
  readonly about: AuditKind;
  /** "requested", "approved", "refused", "done" */
  readonly what: string;
  /** Of what it is about. */
  readonly id?: string;
  readonly action?: string;
  readonly target?: string;
  /** Digest of exactly what was agreed to. */
  readonly binding?: string;
  /** Undefined: the program itself. */
  readonly by?: Person;
  /** A code, or what a person has written. */
  readonly why?: string;
  /** The host that carried it out. */
  readonly host?: string;
  /** How often: one entry stands for so many. */
  readonly count?: number;
  /** What else is worth knowing, in words or numbers. */
  readonly details?: Readonly<Record<string, string | number>>;
}

/** As it is stored: `seq` grows by one with every entry, so that a gap shows. */
export interface StoredAuditEntry extends AuditEntry {
  readonly seq: number;
}

/** An entry with what ties it to the one before. Without `hash`: of a version that had no chain. */
export interface AuditRecord {
  readonly seq: number;
  /** The entry, exactly as it is hashed: see `canonical`. */
  readonly text: string;
  /** Hash of the entry before, 64 zeros for the first; hex. */
  readonly prev?: string;
  /** SHA-256 of number, `prev` and text; hex. */
  readonly hash?: string;
}

/** The newest entry at some moment: whoever knows it can tell whether anything before it was changed. */
export interface AuditHead {
  readonly seq: number;
  readonly hash: string;
  /** Hash of the first entry of the chain: a log that was begun anew has another. */
  readonly chain: string;
}

/** A head that was put away. */
export interface DatedHead extends AuditHead {
  /** "2026-11-21", UTC. */
  readonly date: string;
  /** ISO 8601. */
  readonly at: string;
}

/** What stands before the first entry of a chain. */
export const genesis = "0".repeat(64);

/** JSON without white space, with the keys in their order at every depth: one text for one value. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => {
    if (typeof inner !== "object" || inner === null || Array.isArray(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  });
}

/** Hash of an entry: SHA-256 of its number, the hash before it and its text, a line each; hex. */
export function chainHash(seq: number, prev: string, text: string): string {
  return createHash("sha256").update(`${seq}\n${prev}\n${text}`).digest("hex");
}

/** The line of an export. */
export function exportLine({ seq, prev, hash, text }: AuditRecord): string {
  const chained = hash === undefined ? "" : `,"prev":${JSON.stringify(prev)},"hash":${JSON.stringify(hash)}`;
  return `{"seq":${seq}${chained},"entry":${text}}`;
}

/** Reads a line of an export; undefined for anything that is not exactly such a line. */
export function readExportLine(line: string): AuditRecord | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof parsed !== "object" || parsed === null) return undefined;
  const { seq, prev, hash, entry } = parsed as Readonly<Record<string, unknown>>;
  if (!Number.isSafeInteger(seq) || typeof entry !== "object" || entry === null) return undefined;
  const start = line.indexOf(',"entry":');
  const record = {
    seq: Number(seq),
    // As it stands there: what a reader sees is what is hashed.
    text: line.slice(start + ',"entry":'.length, -1),
    ...(typeof prev === "string" ? { prev } : {}),
    ...(typeof hash === "string" ? { hash } : {}),
  };
  // Nothing beside it, nothing twice. Before the chain nothing is hashed, and keys stand as they came.
  const text = record.hash === undefined ? compact(record.text) : canonical(entry);
  return exportLine(record) === line && text === record.text ? record : undefined;
}

function compact(text: string): string | undefined {
  try {
    return JSON.stringify(JSON.parse(text));
  } catch {
    return undefined;
  }
}
