import { describe, expect, test } from "vitest";
import { restorationCard } from "../../src/bot/cards/restoration.ts";
import { textLength } from "../../src/bot/html.ts";
import type { GlobalsLook } from "../../src/core/globals.ts";
import type { Restoration } from "../../src/core/restoration.ts";
import { type Locale, locales, messagesOf } from "../../src/messages/index.ts";
import { parseHtml } from "../../src/sandbox/telegram/html.ts";
import type { Restorations } from "../../src/services/restorations/restorations.ts";

const now = new Date("2026-03-01T12:00:00.000Z");
const alice = { id: 111, name: "alice" };
const look: GlobalsLook = {
  missing: [
    {
      role: "<worker>",
      has: [
        { what: "LOGIN", backup: "yes", live: "" },
        { what: "CONNECTION LIMIT", backup: "7", live: "" },
        { what: "PASSWORD", backup: "another", live: "" },
        { what: "MEMBER OF app", backup: "yes", live: "" },
      ],
    },
  ],
  different: [
    {
      role: "app",
      changes: [
        { what: "CREATEDB", backup: "no", live: "yes" },
        { what: "PASSWORD", backup: "another", live: "another" },
        { what: "SET work_mem", backup: "'5MB'", live: "'6MB'" },
        { what: "MEMBER OF staff", backup: "", live: "yes" },
        { what: "COMMENT", backup: "'the app'", live: "" },
      ],
    },
    { role: "vakhta", changes: [{ what: "CREATEROLE", backup: "yes", live: "no" }] },
  ],
  extra: ["newcomer"],
  passwordsCompared: true,
  server: "PostgreSQL 15.18",
  own: "vakhta",
};

function rolesOf(parts: Partial<Restoration> = {}, found: Partial<GlobalsLook> = {}): Restoration {
  return {
    id: "a25c593dc4e6",
    name: "shop",
    kind: "postgres",
    backup: "0f3a0f3a0f3a",
    folder: "shop/20260301T030000Z-0f3a0f3a0f3a/",
    backupAt: "2026-03-01T03:00:00.000Z",
    place: "globals",
    requestedBy: alice,
    chat: { chatId: -1 },
    status: "ready",
    phase: "waiting",
    createdAt: "2026-03-01T11:57:00.000Z",
    attempt: 0,
    fence: 0,
    roles: {
      at: "2026-03-01T11:57:10.000Z",
      host: "db-1",
      storage: "offsite",
      location: "s3://backups/prod",
      passedOver: [],
      look: { ...look, ...found },
      digest: "d",
    },
    ...parts,
  };
}

const calls: unknown[] = [];
const restorations = {
  refusal: () => undefined,
  isServed: () => true,
  confirm: async (...how: unknown[]) => void calls.push(how),
} as unknown as Restorations;
const kind = restorationCard({ config: { backups: [] }, restorations });
const render = (restoration: Restoration, locale: Locale = "en") =>
  kind.render(restoration, { messages: messagesOf(locale), timezone: "UTC", now });
const read = (restoration: Restoration, locale: Locale = "en") =>
  parseHtml(render(restoration, locale).html).text.replaceAll(/[\u00a0\u202f]/g, " ");
const labels = (restoration: Restoration, locale: Locale = "en") =>
  render(restoration, locale)
    .buttons.flat()
    .map(({ action, label }) => `${action}: ${label}`);

describe("the roles of a backup", () => {
  test("are shown as what is missing, what is different, and what is left alone", () => {
    const text = read(rolesOf());
    expect(text).toMatch(/^⚠️ Roles of shop: different from the backup\n\nBackup of .*\n→ roles of PostgreSQL 15\.18/);
    expect(text).toContain("Missing on the server: 1\n• <worker>: LOGIN; CONNECTION LIMIT 7; password; MEMBER OF app");
    expect(text).toContain(
      "• app: CREATEDB → NOCREATEDB; another password; SET work_mem '6MB' → SET work_mem '5MB'; MEMBER OF staff (only on the server, stays); + COMMENT 'the app'",
    );
    expect(text).toContain("I am connected as this one: change it by hand");
    expect(text).toContain("Only on the server, left alone: newcomer");
    expect(text).toContain("Nothing has been changed yet");
    expect(labels(rolesOf())).toEqual([
      "missing: Make the missing role",
      "all: Make 1 and alter 1",
      "again: Look again",
      "cancel: Cancel",
    ]);
    expect(labels(rolesOf({}, { missing: [] }))[0]).toBe("all: Alter the other role");
    expect(labels(rolesOf({}, { different: [] }))).not.toContain("all: Make 1 and alter 1");
    expect(read(rolesOf({}, { passwordsCompared: false }))).toContain("Passwords could not be compared");
  });

  test("say in Russian the same", () => {
    const text = read(rolesOf(), "ru");
    expect(text).toMatch(/^⚠️ Роли shop: отличаются от копии/);
    expect(text).toContain("Нет на сервере: 1");
    expect(text).toContain("другой пароль");
    expect(labels(rolesOf(), "ru").slice(0, 2)).toEqual([
      "missing: Создать 1 недостающую",
      "all: Создать 1 и изменить 1",
    ]);
  });

  test("are given by the button that was pressed", async () => {
    const context = { by: alice, target: { chatId: -1 } } as never;
    await kind.actions["missing"]?.run(rolesOf(), context);
    await kind.actions["all"]?.run(rolesOf(), context);
    expect(calls.map((how) => (how as unknown[])[3])).toEqual(["missing", "all"]);
  });

  test("tell how it ended", () => {
    const applied = { made: ["<worker>"], altered: ["app"], left: [] };
    const done = rolesOf({ status: "done", scope: "all", applied });
    expect(read(done)).toMatch(/were given[\s\S]*Made \(1\): <worker>\nAltered \(1\): app[\s\S]*as in the backup/);
    expect(read(rolesOf({ status: "done", applied: { ...applied, left: ["app"] } }))).toContain(
      "Still not as in the backup: app",
    );
    expect(read(rolesOf({ status: "done" }, { missing: [], different: [] }))).toContain("nothing to be given");
    expect(labels(done)).toEqual([]);
    const asked = rolesOf({ status: "asked", scope: "missing", approval: "beef" });
    expect(read(asked)).toMatch(/card of approval beef[\s\S]*To be made \(1\): <worker>/);
    expect(read(asked)).not.toContain("To be altered");
    const error = { code: "source-failed", message: "permission denied", step: "globals", stderr: "ERROR: no" };
    const failed = rolesOf({ status: "failed", error });
    expect(read(failed)).toMatch(/permission denied[\s\S]*ERROR: no[\s\S]*all or none/);
    expect(labels(failed)).toEqual(["again: Look again"]);
    expect(read(rolesOf({ status: "failed", error: { ...error, code: "interrupted" } }))).toContain("Look again tells");
    expect(read(rolesOf({ status: "cancelled", cancelRequestedBy: alice }))).toContain("Nothing was changed");
  });

  test("fit into a message however many there are, whole roles at a time", () => {
    const many = Array.from({ length: 400 }, (_, index) => ({
      role: `role-${index}-${"x".repeat(50)}`,
      has: look.missing[0]?.has ?? [],
    }));
    for (const locale of locales) {
      const { html } = render(rolesOf({}, { missing: many }), locale);
      expect(textLength(html)).toBeLessThan(4096);
      expect(parseHtml(html).text).toContain("385");
    }
  });
});

describe("a restore", () => {
  const preflight = { missingRoles: ["worker"], obstacles: [], alternative: undefined } as never;
  const inPlace = (parts: Partial<Restoration>): Restoration => {
    const { roles: _, ...rest } = rolesOf({ place: "in-place", ...parts });
    return rest;
  };

  test("that is refused since roles are missing leads to them", () => {
    expect(labels(inPlace({ status: "refused", preflight }))).toContain("roles: Roles");
  });

  test("whose backup before has failed goes on without it by a button, once", () => {
    const error = { code: "source-failed", message: "no", step: "backup" };
    const failed = inPlace({ status: "failed", phase: "backup", error });
    expect(labels(failed)).toEqual(["again: Look again", "without: Without a backup before"]);
    expect(labels({ ...failed, before: "off" })).toEqual(["again: Look again"]);
    expect(labels({ ...failed, phase: "restore" })).toEqual(["again: Look again"]);
  });
});
