import { z } from "zod";
import { type AuditHead, type AuditRecord, exportLine, readExportLine } from "../../core/audit.ts";
import type { Audit } from "../../state/audit.ts";

const headSchema = z.object({ seq: z.int().positive(), hash: z.string(), chain: z.string() });
const headerSchema = z.object({
  export: z.object({ at: z.iso.datetime(), from: z.int().positive(), to: z.int().min(0), head: headSchema.optional() }),
});

/** What the first line of an export says. */
export interface ExportHeader {
  /** ISO 8601. */
  readonly at: string;
  readonly from: number;
  readonly to: number;
  /** Of the whole log at that moment. */
  readonly head?: AuditHead | undefined;
}

/** Numbers of entries: from one to another, both included. */
export interface AuditRange {
  readonly from?: number;
  readonly to?: number;
}

/** Says what is in an export of these numbers, as the log is now. */
export async function exportHeader(audit: Audit, { from = 1, to }: AuditRange, now: Date): Promise<ExportHeader> {
  const head = await audit.head();
  const [newest] = await audit.newest(1);
  const end = Math.min(to ?? Number.POSITIVE_INFINITY, newest?.seq ?? 0);
  return { at: now.toISOString(), from, to: end, ...(head ? { head } : {}) };
}

/** The lines of an export, without line ends. Memory: a portion of them. */
export async function* exportLines(audit: Audit, header: ExportHeader): AsyncGenerator<string> {
  yield JSON.stringify({ export: header });
  if (header.to < header.from) return;
  for await (const record of audit.records(header.from, header.to)) yield exportLine(record);
}

/** The first line of an export; undefined for one that is an entry, or nothing of ours. */
export function readHeader(line: string): ExportHeader | undefined {
  try {
    return headerSchema.parse(JSON.parse(line)).export;
  } catch {
    return undefined;
  }
}

/** The entries of an export; undefined for a line that is none. */
export async function* readExport(lines: AsyncIterable<string>): AsyncGenerator<AuditRecord | undefined> {
  for await (const line of lines) if (line !== "") yield readExportLine(line);
}
