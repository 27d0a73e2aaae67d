import { describe, expect, test } from "vitest";
import { type Manifest, manifestFolder, runFolder } from "../../src/core/manifest.ts";
import { hasLeftovers, isFinal, type RunStatus, rawBytes, storedBytes } from "../../src/core/run.ts";
import { aManifest, aRun } from "../support/run.ts";

describe("a run", () => {
  test.each<[RunStatus, boolean]>([
    ["queued", false],
    ["running", false],
    ["succeeded", true],
    ["degraded", true],
    ["failed", true],
    ["cancelled", true],
  ])("that is %s: final is %s", (status, final) => {
    expect(isFinal(status)).toBe(final);
  });

  const open = [{ storage: "offsite", key: "app/x/artifact.dump.zst", handle: "upload-1" }];

  test("has something left to remove only when it has ended with an object open", () => {
    expect(hasLeftovers(aRun({ status: "failed", open }))).toBe(true);
    expect(hasLeftovers(aRun({ status: "degraded", open }))).toBe(true);
    expect(hasLeftovers(aRun({ status: "failed", open: [] }))).toBe(false);
    expect(hasLeftovers(aRun({ status: "running", open }))).toBe(false);
    expect(hasLeftovers(aRun({ status: "queued", open }))).toBe(false);
  });

  test("whose upload is under way again leaves its open objects to that", () => {
    const copies = [{ storage: "offsite", location: "s3://b/p", local: false, status: "retrying" as const }];
    expect(hasLeftovers(aRun({ status: "degraded", open, copies }))).toBe(false);
  });
});

describe("sizes of a backup", () => {
  const parts: Manifest["parts"] = [
    { role: "artifact", file: "artifact.dump.zst", bytes: 700, sha256: "a".repeat(64), rawBytes: 2000 },
    { role: "globals", file: "globals.sql.zst", bytes: 50, sha256: "b".repeat(64), rawBytes: 100 },
  ];

  test("are those of all parts together", () => {
    expect(storedBytes(aManifest({ parts }))).toBe(750);
    expect(rawBytes(aManifest({ parts }))).toBe(2100);
  });

  test("before compression are unknown as soon as one part's is", () => {
    const [artifact, globals] = parts;
    if (!artifact || !globals) throw new Error("two parts");
    const { rawBytes: _, ...unknown } = globals;
    expect(rawBytes(aManifest({ parts: [artifact, unknown] }))).toBeUndefined();
  });
});

test("a run's folder carries its time in UTC and its id, and sorts by time", () => {
  expect(runFolder("app", new Date("2026-03-01T03:00:00.123Z"), "0f3a")).toBe("app/20260301T030000Z-0f3a/");
  expect(
    runFolder("app", new Date("2026-03-01T03:00:00Z"), "0f3a") <
      runFolder("app", new Date("2026-03-01T15:00:00Z"), "0001"),
  ).toBe(true);
  expect(manifestFolder(aManifest())).toBe("app/20260301T030000Z-0f3a0f3a0f3a/");
});
