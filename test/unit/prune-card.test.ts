import { describe, expect, test } from "vitest";
import { pruneCard } from "../../src/bot/cards/prune.ts";
import type { ActionContext, CardAnswer } from "../../src/bot/cards/types.ts";
import type { PruneQuestion } from "../../src/core/prune.ts";
import { flawsIn } from "../../src/core/soundness.ts";
import { type Locale, locales, messagesOf } from "../../src/messages/index.ts";
import { parseHtml } from "../../src/sandbox/telegram/html.ts";
import type { PruneQuestions } from "../../src/services/backup/prune-questions.ts";
import type { CachedCatalogue } from "../../src/services/cached-catalogue.ts";
import type { CachedCopy } from "../../src/state/catalogue.ts";
import { dailyManifest } from "../support/catalogue.ts";

const alice = { id: 111, name: "alice" };
const now = new Date("2026-03-01T12:00:00.000Z");
const answers: string[] = [];
const copies = new Map<string, CachedCopy>();
const kind = pruneCard({
  config: { timezone: "Europe/Moscow", backups: [{ name: "app", keep: { offsite: { last: 3 } } }] as never },
  clock: { now: () => now },
  pruneQuestions: {
    answer: async (id: string, status: string, by: { name: string }) => void answers.push(`${id} ${status} ${by.name}`),
  } as unknown as PruneQuestions,
  catalogue: {
    copies: async () => [
      { storage: "offsite", copies, flaws: flawsIn([{ storage: "offsite", copies }], []).get("offsite") },
    ],
    look: async () => ({ at: "2026-03-01T11:55:00.000Z" }),
  } as unknown as CachedCatalogue,
});

function aQuestion(change: Partial<PruneQuestion> = {}): PruneQuestion {
  return {
    id: "q1",
    name: "app",
    storage: "offsite",
    location: "s3://bucket/prod",
    status: "asked",
    askedAt: now.toISOString(),
    folders: Array.from({ length: 27 }, (_, index) => `app/${index}/`),
    oldest: "2026-01-02T00:00:00.000Z",
    newest: "2026-02-20T00:00:00.000Z",
    bytes: 2_700_000_000,
    total: 30,
    totalBytes: 3_000_000_000,
    policy: "last: 3",
    ...change,
  };
}

function render(question: PruneQuestion, locale: Locale = "en") {
  return kind.render(question, { messages: messagesOf(locale), timezone: "Europe/Moscow", now });
}

function read(question: PruneQuestion, locale: Locale = "en"): string {
  return parseHtml(render(question, locale).html).text.replaceAll(/[\u00a0\u202f]/g, " ");
}

const actions = (question: PruneQuestion): string[] =>
  render(question)
    .buttons.flat()
    .map(({ action }) => action);

const context = (): ActionContext & { said: CardAnswer[] } => {
  const said: CardAnswer[] = [];
  return {
    said,
    by: alice,
    messages: messagesOf("en"),
    target: { chatId: 1 },
    reply: async (answer) => void said.push(answer),
    open: async () => undefined,
  };
};

describe("the card that asks before very much is removed", () => {
  test("says what would go, from where, of how much, and that nothing goes meanwhile", () => {
    const text = read(aQuestion());
    expect(text).toContain("Remove 27 old backups of app?");
    expect(text).toContain("The retention of offsite (last: 3) would remove 27 of 30 backups at once.");
    expect(text).toContain("offsite s3://bucket/prod");
    expect(text).toContain("Would go: 27 backups, 2 Jan 2026, 03:00 to 20 Feb 2026, 03:00");
    expect(text).toContain("They hold 2.7 GB of 3 GB.");
    expect(text).toContain("Meanwhile nothing is removed here.");
    expect(actions(aQuestion())).toEqual(["confirm", "cancel", "details"]);
    expect(render(aQuestion()).buttons[0]?.[0]?.style).toBe("danger");
  });

  test("tells who has answered and what became of it, and has no buttons that could answer again", () => {
    const answered = { by: alice, at: "2026-03-01T09:00:00.000Z" };
    const cases = [
      [aQuestion({ status: "confirmed", answered }), "Agreed to by alice, 1 Mar 2026, 12:00"],
      [aQuestion({ status: "done", answered, removed: 26 }), "26 backups were removed."],
      [aQuestion({ status: "cancelled", answered }), "alice said no, 1 Mar 2026, 12:00. Nothing was removed"],
      [aQuestion({ status: "void" }), "What would go has changed, so nothing was removed."],
    ] as const;
    for (const [question, text] of cases) {
      expect(read(question)).toContain(text);
      expect(actions(question)).not.toContain("confirm");
      expect(actions(question)).not.toContain("cancel");
    }
  });

  test("is answered by admins only, as whoever pressed", async () => {
    const { confirm, cancel, details } = kind.actions;
    expect([confirm?.role, cancel?.role, details?.role]).toEqual(["admin", "admin", "viewer"]);
    await confirm?.run(aQuestion(), context());
    await cancel?.run(aQuestion({ id: "q2" }), context());
    expect(answers).toEqual(["q1 confirmed alice", "q2 cancelled alice"]);
  });

  test("answers a press that comes too late with who was first, or that it is out of date", () => {
    const messages = messagesOf("en");
    const done = aQuestion({ status: "done", answered: { by: alice, at: now.toISOString() } });
    expect(kind.refusal?.(done, "confirm", messages)).toBe("Already answered by alice");
    expect(kind.refusal?.(aQuestion({ status: "void" }), "confirm", messages)).toBe("This question is out of date");
  });

  test("explains every decision in a file", async () => {
    for (let index = 0; index < 5; index++) {
      const manifest = dailyManifest(index);
      copies.set(`app/2026030${index}T000000Z-${manifest.id}/`, {
        manifest,
        manifestSha256: "",
        manifestBytes: 1,
        proofs: [],
        ...(index === 4 ? { pin: { version: 1, at: now.toISOString(), by: "alice" } } : {}),
        ...(index === 1 ? { incomplete: true } : {}),
      });
    }
    const own = context();
    await kind.actions["details"]?.run(aQuestion(), own);
    const [answer] = own.said;
    expect(answer?.document?.name).toBe("retention-app-offsite.txt");
    const lines = (answer?.document?.text ?? "")
      .replaceAll(/[\u00a0\u202f]/g, " ")
      .trim()
      .split("\n");
    expect(lines).toEqual([
      "Backups of app in offsite, as the retention (last: 3) sees them: 5 stay, 0 go.",
      "As last read at 1 Mar 2026, 14:55.",
      "",
      "000000000000  1 Mar 2026, 06:00  10 bytes  stays, the last good one, among the newest",
      "000000000001  28 Feb 2026, 06:00  10 bytes  stays, damaged, among the newest",
      "000000000002  27 Feb 2026, 06:00  10 bytes  stays, among the newest",
      "000000000003  26 Feb 2026, 06:00  10 bytes  stays, among the newest",
      "000000000004  25 Feb 2026, 06:00  10 bytes  stays, pinned",
    ]);
  });

  test.each(locales)("is Telegram's HTML in every state and in %s, whatever the names contain", (locale) => {
    const nasty = '<b>&"</pre>🧹';
    const states = ["asked", "confirmed", "done", "cancelled", "void"] as const;
    for (const status of states) {
      const answered = { by: { id: 1, name: nasty }, at: now.toISOString() };
      const text = read(aQuestion({ status, answered, name: nasty, storage: nasty, location: nasty }), locale);
      expect(text).toContain(nasty);
      expect(text).not.toMatch(/undefined|NaN|Invalid/);
    }
  });
});
