import { describe, expect, test } from "vitest";
import type { Rendering } from "../../src/bot/cards/types.ts";
import { verifyCard } from "../../src/bot/cards/verify.ts";
import { shorten } from "../../src/bot/html.ts";
import type { Proof } from "../../src/core/proof.ts";
import type { Verification } from "../../src/core/verification.ts";
import { type Locale, locales, messagesOf } from "../../src/messages/index.ts";
import { parseHtml } from "../../src/sandbox/telegram/html.ts";
import type { VerificationOrders } from "../../src/services/backup/verifications.ts";

const kind = verifyCard({
  verificationOrders: { hostOf: () => "db-1", isServed: () => false } as unknown as VerificationOrders,
});
const now = new Date("2026-03-01T03:02:00.000Z");

function aVerification(parts: Partial<Verification> = {}): Verification {
  return {
    id: "beefbeefbeef",
    name: "app",
    backup: "0f3a0f3a0f3a",
    folder: "app/20260301T030000Z-0f3a0f3a0f3a/",
    backupAt: "2026-03-01T00:00:00.000Z",
    storage: "offsite",
    location: "s3://backups/prod",
    encrypted: false,
    depth: "restored",
    trigger: "chat",
    requestedBy: { id: 111, name: "alice" },
    status: "queued",
    phase: "waiting",
    createdAt: "2026-03-01T03:00:00.000Z",
    attempt: 0,
    fence: 0,
    ...parts,
  };
}

const aProof = (parts: Partial<Proof> = {}): Proof => ({
  depth: "restored",
  ok: true,
  at: "2026-03-01T03:01:00.000Z",
  host: "db-1",
  elapsedMs: 14_000,
  ...parts,
});

function render(verification: Verification, locale: Locale = "en", workers?: ReadonlySet<string>): Rendering {
  const context = { messages: messagesOf(locale), timezone: "UTC", now, ...(workers ? { workers } : {}) };
  return kind.render(verification, context);
}

const plain = (html: string): string => parseHtml(html).text.replaceAll(/[\u00a0\u202f]/g, " ");
const read = (verification: Verification, locale: Locale = "en"): string => plain(render(verification, locale).html);
const actions = (verification: Verification): string[] =>
  render(verification)
    .buttons.flat()
    .map(({ action }) => action);
const passed = (proof: Partial<Proof> = {}) => aVerification({ status: "passed", proof: aProof(proof) });
const failed = (proof: Partial<Proof> = {}) =>
  aVerification({ status: "failed", proof: aProof({ ok: false, ...proof }) });
const differences = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ what: `public.t${index}`, expected: "224", found: "220" }));

describe("the card of a verification", () => {
  test("says in words what was proven, and how long a restore takes", () => {
    const text = read(passed({ compared: { rows: 224, tables: 1 }, restoreMs: 12_000 }));
    expect(text).toContain("Backup of app holds");
    expect(text).toContain("Restored and counted: 224 rows in 1 table, as backed up.\nRestore took 12s.");
    expect(text).toContain("Copy in offsite s3://backups/prod");
    expect(read(passed({ compared: { keys: 1_000_000, databases: 2 }, restoreMs: 1 }))).toContain("1,000,000 keys");
    expect(read(passed({ compared: { entries: 1 }, restoreMs: 1 }))).toContain("1 entry, as backed up");
    expect(read(passed({ compared: {}, restoreMs: 1 }))).toContain("nothing to count it against");
    expect(read(passed({ depth: "readable" }))).toContain("Read whole: every part was unpacked");
    expect(read({ ...passed({ depth: "readable" }), encrypted: true })).toContain("every part was decrypted, unpacked");
    expect(read(passed({ depth: "stored", compared: { bytes: 25_600_000 } }))).toContain(
      "is the one that was written (25.6 MB)",
    );
  });

  test("says when it could not look as deep as wanted, why, and what to do", () => {
    const text = read(passed({ depth: "stored", wanted: "restored", because: { key: "verify-because-identity" } }));
    expect(text).toMatch(/⚠️ Backup of app holds, but it could not be looked at as deep as wanted/);
    expect(text).toContain("Wanted was: test-restored and counted. The backup is encrypted and no identity");
    expect(text).toContain("encryption.identity");
  });

  test("shows what the restore did otherwise, also a remark that only a later version knows", () => {
    const remarks = [{ key: "remark-restore-no-roles" }, { key: "remark-of-the-future", args: { x: 1 } }];
    const text = read(passed({ compared: {}, restoreMs: 1, remarks }));
    expect(text.match(/ℹ️/g)).toHaveLength(2);
    expect(text).toContain("remark-of-the-future");
  });

  test("names the first differences, and all of them in a file", () => {
    const few = render(failed({ differences: differences(2), differencesTotal: 2 }));
    expect(plain(few.html)).toContain("2 differences from what was backed up:");
    expect(plain(few.html)).toContain("public.t1: 224 backed up, 220 restored");
    expect(plain(few.html)).toContain("do not rely on this backup");
    expect(few.document).toBeUndefined();
    const many = render(failed({ differences: differences(20), differencesTotal: 4000 }));
    expect(plain(many.html)).toContain("4,000 differences");
    expect(plain(many.html)).not.toContain("public.t15");
    expect(plain(many.html)).toContain("and 3,992 more");
    expect(many.document?.text).toContain("public.t19: 224 backed up, 220 restored");
    expect(many.document?.text).toContain("and 3,980 more");
  });

  test("says why a copy does not hold and what to do about it", () => {
    const damaged = read(failed({ error: { code: "storage-mismatch", message: "offsite: k is damaged" } }));
    expect(damaged).toMatch(/❌ Backup of app does not hold[\s\S]*k is damaged[\s\S]*cannot be relied on/);
    expect(read(failed({ error: { code: "encryption", message: "cannot decrypt" } }))).toContain(
      "the key that is configured",
    );
    const unknown = { code: "storage-mismatch", message: "in English", text: { key: "error-of-the-future" } };
    expect(read(failed({ error: unknown }))).toContain("in English");
  });

  test("does not blame the backup for what could not be looked at", () => {
    const error = { code: "storage-unreachable", message: "offsite does not answer", step: "verify" };
    const text = read(aVerification({ status: "failed", error }));
    expect(text).toContain("⚠️ Backup of app could not be verified");
    expect(text).toContain("Nothing is said against the backup");
    expect(text).not.toContain("does not hold");
  });

  test("shows how far it is, what it waits for, and that a worker is missing", () => {
    const progress = { bytes: 50_000_000, total: 200_000_000, at: now.toISOString() };
    const running = aVerification({
      status: "running",
      phase: "restored",
      startedAt: "2026-03-01T03:00:00.000Z",
      progress,
    });
    const text = read({ ...running, attempt: 2, interruptedIn: "restored" });
    expect(text).toContain("Phase: restoring into a scratch place\nRead: 50 MB of 200 MB (25 %)\nElapsed: 2m");
    expect(text).toContain("Attempt 2: a worker was interrupted while restoring");
    expect(read(aVerification({ waitsFor: "cafe" }))).toContain("Waiting for verification cafe of the same copy");
    expect(plain(render(aVerification(), "en", new Set()).html)).toContain("No worker is running on db-1");
    expect(read(aVerification({ status: "cancelled", cancelRequestedBy: { id: 222, name: "bob" } }))).toContain(
      "Cancelled by bob",
    );
  });

  test("offers Cancel while it is under way, and once to verify again", () => {
    expect(actions(aVerification())).toEqual(["cancel"]);
    expect(actions(aVerification({ status: "running", cancelRequestedBy: { id: 1, name: "bob" } }))).toEqual([]);
    expect(actions(passed())).toEqual(["again"]);
    expect(actions(failed())).toEqual(["again"]);
    const again = { verification: "cafe", by: { id: 222, name: "bob" } };
    expect(actions({ ...passed(), again })).toEqual([]);
    expect(read({ ...passed(), again })).toContain("Verified again by bob: cafe");
    expect(Object.values(kind.actions).map(({ role }) => role)).toEqual(["operator", "operator"]);
  });

  test("rings for bad news that nobody waits for", () => {
    expect(render({ ...failed(), trigger: "schedule" }).raise).toBe("failed");
    expect(render(failed()).raise).toBeUndefined();
    expect(render({ ...passed(), trigger: "schedule" }).raise).toBeUndefined();
  });

  test.each(locales)("is Telegram's HTML in every state and in %s, whatever the names contain", (locale) => {
    const nasty = `<b>&"'</b>`;
    const person = { id: 1, name: nasty };
    const error = { code: nasty, message: nasty, step: nasty, stderr: nasty.repeat(50) };
    const nastyDifferences = Array.from({ length: 20 }, () => ({
      what: nasty.repeat(100),
      expected: nasty,
      found: nasty,
    }));
    const states: Verification[] = [
      aVerification(),
      aVerification({ waitsFor: nasty }),
      aVerification({ status: "running", cancelRequestedBy: person }),
      aVerification({ status: "cancelled", cancelRequestedBy: person }),
      aVerification({ status: "failed", error }),
      failed({ error: { code: nasty, message: nasty } }),
      failed({ differences: nastyDifferences, differencesTotal: 20 }),
      {
        ...passed({ compared: {}, remarks: [{ key: nasty }] }),
        unrecorded: error,
        again: { verification: nasty, by: person },
      },
    ];
    for (const state of states) {
      const { html } = render({ ...state, name: nasty, location: nasty, requestedBy: person }, locale);
      const text = plain(shorten(html, "…").html);
      expect(text).toContain(nasty);
      expect(text).not.toMatch(/undefined|NaN|Invalid/);
    }
  });
});
