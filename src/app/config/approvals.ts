import { z } from "zod";
import type { Role } from "../../core/roles.ts";
import { durationBetween } from "./common.ts";

interface Defaults {
  readonly role: Exclude<Role, "viewer">;
  readonly expires: string;
  readonly typed: "always" | "destructive";
}

/** Who has to agree when nothing is configured; times as they are written. */
export const approvalDefaults = {
  restore: { role: "admin", expires: "15m", typed: "always" },
  reboot: { role: "operator", expires: "5m", typed: "destructive" },
  databaseBackup: { role: "operator", expires: "15m", typed: "destructive" },
  autoBackups: { role: "admin", expires: "15m", typed: "destructive" },
} as const satisfies Record<string, Defaults>;

const policySchema = ({ role, expires, typed }: Defaults) =>
  z
    .strictObject({
      approvers: z.int().min(1).max(10).default(1).describe("So many different people have to approve."),
      role: z.enum(["operator", "admin"]).default(role).describe("That each of them needs."),
      requesterCounts: z.boolean().default(true).describe("Whether who has asked for it may be one of them."),
      expires: durationBetween("1m", "7d")
        .prefault(expires)
        .describe("So long it may take to type the name, then to approve it, then until it begins."),
      typed: z
        .enum(["always", "destructive"])
        .default(typed)
        .describe("When who asks has to type the target's name: always, or only for what destroys."),
    })
    .prefault({});

/** `approvals:`. Durations in milliseconds. */
export const approvalsSchema = z.strictObject({
  restore: policySchema(approvalDefaults.restore).describe("Restoring a backup."),
  reboot: policySchema(approvalDefaults.reboot).describe("Rebooting a server."),
  databaseBackup: policySchema(approvalDefaults.databaseBackup).describe("A backup of a managed database, now."),
  autoBackups: policySchema(approvalDefaults.autoBackups).describe("Changing when a managed database is backed up."),
});
