import { z } from "zod";
import { canTestRestore, findKind } from "../../sources/index.ts";
import { cronSchema, durationBetween, nameSchema } from "./common.ts";
import type { BackupOutline, Outline } from "./outline.ts";
import { nearest, type Path, type Problem } from "./problems.ts";

/** `drill:`. Durations in milliseconds. */
export const drillSchema = z.strictObject({
  schedule: cronSchema
    .default("0 6 * * 1")
    .describe("When, as a cron expression of five fields. Default: Mondays at 6."),
  backups: z
    .array(nameSchema)
    .min(1)
    .optional()
    .describe("Names of the backups that are restored. Default: all that can be test-restored."),
  chat: nameSchema.optional().describe("Name of the chat for its card. Default: the first chat."),
  topic: nameSchema.optional().describe("Name of the topic in that chat."),
  rto: durationBetween("1s", "30d")
    .prefault("2h")
    .describe("A recovery that takes longer is marked, and is an incident."),
  rpo: durationBetween("1m", "400d")
    .prefault("26h")
    .describe("Recovered data that is older than this when the drill begins is marked, and is an incident."),
});

type Report = (path: Path, key: string, args?: Problem["args"]) => void;

/** Names that are no backups, or none that can be restored into a private server. Half-read backups lead to no conclusion. */
export function checkDrill({ drill, backups }: Outline, report: Report): void {
  const names = drill?.backups ?? [];
  for (const [index, name] of names.entries()) {
    if (name === undefined || !backups) continue;
    const path = ["drill", "backups", index];
    if (names.indexOf(name) !== index) report(path, "config-problem-duplicate-name");
    const backup = backups.find((one) => one?.name === name);
    if (backup) checkSource(name, backup.source, path, report);
    else if (backups.every((one) => one?.name !== undefined)) reportUnknown(name, backups, path, report);
  }
}

function checkSource(name: string, source: BackupOutline["source"], path: Path, report: Report): void {
  // A kind that is none is told elsewhere.
  const kind = source?.kind === undefined ? undefined : findKind(source.kind);
  if (!kind || canTestRestore(kind, source)) return;
  report(path, kind.kind === "command" ? "config-problem-drill-command" : "config-problem-drill-kind", {
    name,
    kind: kind.kind,
  });
}

function reportUnknown(name: string, backups: NonNullable<Outline["backups"]>, path: Path, report: Report): void {
  const known = backups.flatMap((backup) => backup?.name ?? []);
  report(path, "config-problem-no-backup", { known: nearest(name, known) ?? (known.join(", ") || "-") });
}
