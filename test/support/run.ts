import { type Manifest, manifestSchema } from "../../src/core/manifest.ts";
import type { BackupRun } from "../../src/core/run.ts";

/** A run as it is ordered in the chat; everything that a test does not care about has a value. */
export function aRun(parts: Partial<BackupRun> = {}): BackupRun {
  return {
    id: "0f3a0f3a0f3a",
    name: "app",
    trigger: "chat",
    requestedBy: { id: 111, name: "alice" },
    status: "queued",
    phase: "waiting",
    createdAt: "2026-03-01T03:00:00.000Z",
    attempt: 0,
    fence: 0,
    encrypted: false,
    open: [],
    copies: [],
    ...parts,
  };
}

/** A manifest that satisfies the schema. */
export function aManifest(parts: Partial<Manifest> = {}): Manifest {
  return manifestSchema.parse({
    version: 1,
    id: "0f3a0f3a0f3a",
    name: "app",
    kind: "postgres",
    startedAt: "2026-03-01T03:00:00.000Z",
    finishedAt: "2026-03-01T03:01:12.000Z",
    vakhta: "0.1.0",
    host: "db-1",
    source: { pg_dump: "17.2", server: "17.2" },
    parts: [
      {
        role: "artifact",
        file: "artifact.dump.zst",
        bytes: 25_600_000,
        sha256: "5e".repeat(32),
        rawBytes: 100_000_000,
      },
    ],
    references: [],
    compression: "zstd",
    counts: "off",
    ...parts,
  });
}
