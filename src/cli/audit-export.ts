import { systemClock } from "../app/clock.ts";
import { loadConfig } from "../app/config.ts";
import { exportHeader, exportLines } from "../services/audit/export.ts";
import { openAudit } from "./audit-redis.ts";
import { reportError, UsageError } from "./report.ts";
import { exitCodes, type Terminal } from "./terminal.ts";

export interface AuditExportOptions {
  /** Path of the configuration. */
  readonly path?: string;
  readonly from?: string;
  readonly to?: string;
}

/** `vakhta audit export`: the audit log on standard output, as JSON Lines: what it is, then an entry a line. */
export async function auditExport(terminal: Terminal, options: AuditExportOptions): Promise<number> {
  let own = terminal;
  try {
    const range = { ...numberOf("from", options.from), ...numberOf("to", options.to) };
    const { config } = loadConfig({ ...options, requires: ["redis"] });
    own = terminal.in(config.locale);
    await using opened = await openAudit(config);
    const header = await exportHeader(opened.audit, range, systemClock.now());
    for await (const line of exportLines(opened.audit, header)) {
      own.signal.throwIfAborted();
      own.out(line);
    }
    return exitCodes.ok;
  } catch (error) {
    return reportError(error, own);
  }
}

function numberOf(key: "from" | "to", value: string | undefined): { readonly from?: number; readonly to?: number } {
  if (value === undefined) return {};
  if (!/^[1-9]\d{0,14}$/.test(value)) throw new UsageError("cli-audit-number", { value });
  return { [key]: Number(value) };
}
