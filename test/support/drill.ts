import type { Drill, DrillItem } from "../../src/core/drill.ts";
import type { Proof } from "../../src/core/proof.ts";
import type { Verification } from "../../src/core/verification.ts";

export const limits = { rto: 7_200_000, rpo: 93_600_000 };

export function aDrillItem(parts: Partial<DrillItem> = {}): DrillItem {
  return {
    name: "shop",
    status: "running",
    copy: {
      backup: "0f3a0f3a0f3a",
      folder: "shop/20260301T000000Z-0f3a0f3a0f3a/",
      dataAt: "2026-03-01T00:00:00.000Z",
      storage: "offsite",
      bytes: 25_600_000,
    },
    rpoMs: 3 * 3_600_000,
    verification: "beefbeefbeef",
    ...parts,
  };
}

export function aDrill(parts: Partial<Drill> = {}): Drill {
  return {
    id: "d111d111d111",
    status: "running",
    trigger: "schedule",
    dueAt: "2026-03-01T03:00:00.000Z",
    createdAt: "2026-03-01T03:00:05.000Z",
    startedAt: "2026-03-01T03:00:06.000Z",
    attempt: 1,
    limits,
    items: [aDrillItem()],
    ...parts,
  };
}

export function aVerification(parts: Partial<Verification> = {}, proof?: Partial<Proof>): Verification {
  return {
    id: "beefbeefbeef",
    name: "shop",
    backup: "0f3a0f3a0f3a",
    folder: "shop/20260301T000000Z-0f3a0f3a0f3a/",
    backupAt: "2026-03-01T00:00:00.000Z",
    storage: "offsite",
    location: "s3://backups/prod",
    encrypted: false,
    depth: "restored",
    trigger: "drill",
    status: "passed",
    phase: "record",
    createdAt: "2026-03-01T03:00:06.000Z",
    attempt: 1,
    fence: 1,
    ...(proof
      ? {
          tookMs: 41_000,
          proof: {
            depth: "restored",
            ok: true,
            at: "2026-03-01T03:00:47.000Z",
            host: "db-1",
            elapsedMs: 40_000,
            ...proof,
          },
        }
      : {}),
    ...parts,
  };
}
