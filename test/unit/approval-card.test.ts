import { describe, expect, it, test } from "vitest";
import { approvalCard } from "../../src/bot/cards/approval.ts";
import type { Rendering } from "../../src/bot/cards/types.ts";
import type { Approval } from "../../src/core/approval.ts";
import { locales, messagesOf } from "../../src/messages/index.ts";
import { anApproval, person } from "../support/approvals.ts";

const card = approvalCard({ approvals: {} as never, approvalStates: {} as never });
const at = "2026-03-01T00:05:00.000Z";
const execution = { attempt: 1, fence: 1, host: "db-1", startedAt: at };
const error = { code: "tool-failed", message: "it broke" };

function render(change: Partial<Approval>, locale: "en" | "ru" = "en", now = at): Rendering {
  return card.render(anApproval(change), { messages: messagesOf(locale), timezone: "UTC", now: new Date(now) });
}
const actions = ({ buttons }: Rendering): string[] => buttons.flat().map(({ action }) => action);

const states: Readonly<Record<string, Partial<Approval>>> = {
  typing: { status: "typing", typed: { asked: 1, wrong: 0 } },
  "typing again": { status: "typing", typed: { asked: 2, wrong: 1, again: "wrong" } },
  "typing after a late answer": { status: "typing", typed: { asked: 2, wrong: 0, again: "late" } },
  open: { approvals: [{ by: person("alice"), at }] },
  approved: { status: "approved" },
  executing: { status: "executing", execution: { ...execution, attempt: 2 } },
  done: { status: "done", execution: { ...execution, endedAt: at, note: { key: "backup-last-none" } } },
  failed: { status: "failed", execution: { ...execution, endedAt: at, error } },
  unknown: { status: "unknown", execution: { ...execution, endedAt: at } },
  rejected: { status: "rejected", ended: { at, by: person("carol") } },
  "rejected with a reason": { status: "rejected", ended: { at, by: person("carol"), reason: "no <b>way</b>" } },
  cancelled: { status: "cancelled", ended: { at, by: person("carol") } },
  "expired while typing": { status: "expired", ended: { at, waitedFor: "typing" } },
  "expired while open": { status: "expired", ended: { at, waitedFor: "open" } },
  "expired when approved": { status: "expired", ended: { at, waitedFor: "approved" } },
  "void by its target": { status: "void", ended: { at, void: "target", facts: ["database", "power"] } },
  "void as it is gone": { status: "void", ended: { at, void: "gone", error } },
  "void by its policy": { status: "void", ended: { at, void: "policy" } },
  "asked for by the program": { requestedBy: undefined as never },
};

describe.each(locales)("the card in %s", (locale) => {
  it.each(Object.entries(states))("shows it %s", (_name, change) => {
    const rendering = render(change, locale);
    expect(rendering.html).toContain("a1");
    expect(rendering.html).not.toContain("undefined");
    expect(rendering.title).not.toContain("<");
  });
});

test("people can decide until it was begun, and approve only what waits for that", () => {
  expect(actions(render({}))).toEqual(["approve", "reject", "cancel"]);
  for (const name of ["typing", "approved"]) expect(actions(render(states[name] ?? {}))).toEqual(["reject", "cancel"]);
  for (const name of ["executing", "done", "unknown", "rejected", "void by its target"])
    expect(actions(render(states[name] ?? {}))).toEqual([]);
  // Nobody has looked at the clock yet.
  expect(actions(render({}, "en", "2026-03-01T00:15:00.000Z"))).toEqual([]);
});

test("one person is asked at a time, anew for each wrong or late answer", () => {
  const keys = ["typing", "typing again", "rejected", "rejected with a reason", "open"].map(
    (name) => render(states[name] ?? {}).reply?.key,
  );
  expect(keys).toEqual(["name-1", "name-2", "reason", undefined, undefined]);
  expect(render(states["typing"] ?? {}).reply).toMatchObject({ forceReply: "shop" });
});

test("it rings when it is for others, when it has gone wrong, and when it took long", () => {
  const typed = { asked: 1, wrong: 0 };
  expect(render({ typed }).raise).toBe("open");
  expect(render({}).raise).toBeUndefined();
  for (const name of ["failed", "unknown", "void by its target"])
    expect(render(states[name] ?? {}).raise).toBe("ended");
  expect(render(states["done"] ?? {}).raise).toBeUndefined();
  const late = { ...execution, endedAt: "2026-03-01T00:06:00.000Z" };
  expect(render({ status: "done", execution: late }).raise).toBe("ended");
});

test("what changed of the target is named", () => {
  expect(render(states["void by its target"] ?? {}).html).toContain("changed: the database, whether it is on");
});

test("an order about a server's power is not called done: only its provider has it", () => {
  const over = { ...states["done"], action: "hard-reboot" } as Partial<Approval>;
  expect(render(over).html).toMatch(/<\/b>: ordered\n/);
  expect(render(over).html).not.toMatch(/done|Carried out/);
  expect(render({ ...over, action: "restore-undo" }).html).toMatch(/<\/b>: done\n/);
  expect(render({ ...over, status: "failed" }).html).not.toMatch(/<\/b>: ordered/);
});
