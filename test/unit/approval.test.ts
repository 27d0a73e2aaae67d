import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Approval,
  type ApprovalStep,
  bindingOf,
  isOver,
  isUndecided,
  type Moment,
} from "../../src/core/approval.ts";
import { approve, cancel, confirm, giveReason, reject, settle } from "../../src/core/approval-decisions.ts";
import { begin, finish, takeOver } from "../../src/core/approval-execution.ts";
import { mostApprovals } from "../../src/core/approval-policy.ts";
import { hasRole } from "../../src/core/roles.ts";
import type { ActionHandlers } from "../../src/services/approvals/actions.ts";
import { anApproval, identity, people, person, policy, roleOf, type testActions } from "../support/approvals.ts";

const at = (minutes: number, more: Partial<Moment> = {}): Moment => ({
  now: new Date(Date.parse("2026-03-01T00:00:00Z") + minutes * 60_000),
  roleOf,
  policy,
  stands: () => false,
  ...more,
});
const worker = { fence: 1, host: "here" };
const typing = (): Approval => anApproval({ status: "typing", typed: { asked: 1, wrong: 0 } });
const agreed = (): Approval => {
  const one = approve(anApproval(), person("alice"), at(1)).approval;
  return approve(one, person("carol"), at(2)).approval;
};
const whats = ({ events }: ApprovalStep): string[] => events.map(({ what }) => what);

describe("approving", () => {
  it("takes as many different people as the policy says", () => {
    const one = approve(anApproval(), person("alice"), at(1));
    expect([one.approval.status, whats(one)]).toEqual(["open", ["approved"]]);
    const again = approve(one.approval, person("alice"), at(2));
    expect([again.refused, again.approval]).toEqual(["already", one.approval]);
    const two = approve(one.approval, person("carol"), at(3));
    expect([two.approval.status, whats(two)]).toEqual(["approved", ["approved", "agreed"]]);
    // From now on it is the worker's time that runs.
    expect(two.approval.expiresAt).toBe("2026-03-01T00:18:00.000Z");
  });

  it.each([
    ["who has not the role", "bob", {}, "role"],
    ["a viewer", "vera", {}, "role"],
    [
      "who has asked, where that does not count",
      "alice",
      { policy: { ...policy, requesterCounts: false } },
      "requester",
    ],
    ["anybody before the name was typed", "carol", { status: "typing", typed: { asked: 1, wrong: 0 } }, "typing"],
    ["anybody after it was rejected", "carol", { status: "rejected" }, "over"],
  ] as const)("refuses %s", (_, name, change, why) => {
    const approval = anApproval(change);
    const step = approve(approval, person(name), at(1, { policy: approval.policy }));
    expect([step.refused, step.approval, step.events]).toEqual([why, approval, []]);
  });

  it("comes too late after the expiry, which it records", () => {
    const step = approve(anApproval(), person("carol"), at(15));
    expect([step.refused, step.approval.status, whats(step)]).toEqual(["expired", "expired", ["expired"]]);
    expect(step.approval.ended?.waitedFor).toBe("open");
  });
});

describe("what changes meanwhile", () => {
  it("takes an approval away with the role for it", () => {
    const without = at(3, { roleOf: (id) => (id === 4 ? "operator" : roleOf(id)) });
    const step = settle(agreed(), without);
    expect([step.approval.status, step.approval.approvals.map(({ by }) => by.name)]).toEqual(["open", ["alice"]]);
    expect(step.events).toEqual([{ what: "withdrawn", by: person("carol") }]);
    // It is not begun either.
    expect(begin(agreed(), identity, worker, without).approval.status).toBe("open");
  });

  it("voids it with another policy, and with a requester who may not ask any more", () => {
    const other = settle(anApproval(), at(1, { policy: { ...policy, approvers: 1 } }));
    expect(other.approval).toMatchObject({ status: "void", ended: { void: "policy" } });
    const gone = settle(anApproval(), at(1, { roleOf: (id) => (id === 1 ? undefined : roleOf(id)) }));
    expect(gone.approval).toMatchObject({ status: "void", ended: { void: "requester" } });
  });

  it("voids it when the target is another one, and says in what", () => {
    const step = begin(agreed(), { ...identity, database: "16999" }, worker, at(3));
    expect(step.approval).toMatchObject({ status: "void", ended: { void: "target", facts: ["database"] } });
    expect(begin(agreed(), {}, worker, at(3)).approval.ended?.facts).toEqual(["manifest", "database"]);
  });

  it("voids it when what is on record is not what was agreed to", () => {
    const step = begin({ ...agreed(), args: { from: "tuesday" } }, identity, worker, at(3));
    expect(step.approval).toMatchObject({ status: "void", ended: { void: "arguments" } });
  });
});

describe("the binding", () => {
  const what = { action: "a", args: { x: 1, y: { z: [1, 2] } }, target: "t", identity };

  it("does not depend on the order of keys, and on everything else", () => {
    expect(bindingOf({ ...what, args: { y: { z: [1, 2] }, x: 1 } })).toBe(bindingOf(what));
    const others = [
      { ...what, action: "b" },
      { ...what, args: { x: 1, y: { z: [2, 1] } } },
      { ...what, target: "u" },
      { ...what, identity: { ...identity, power: "on" } },
    ];
    expect(new Set([what, ...others].map(bindingOf)).size).toBe(5);
  });
});

describe("typing the name", () => {
  const type = (approval: Approval, text: string, late = false, name: "alice" | "carol" = "alice") =>
    confirm(approval, person(name), text, { ...at(5), late });

  it("opens it, counts where the policy counts it, and gives the others their whole time", () => {
    const step = type(typing(), "  shop\n");
    expect([step.approval.status, whats(step)]).toEqual(["open", ["confirmed", "approved"]]);
    expect(step.approval.expiresAt).toBe("2026-03-01T00:20:00.000Z");
  });

  it("is approval enough for one admin alone", () => {
    const alone = { ...policy, approvers: 1 };
    const step = confirm({ ...typing(), policy: alone }, person("alice"), "shop", {
      ...at(1, { policy: alone }),
      late: false,
    });
    expect([step.approval.status, whats(step)]).toEqual(["approved", ["confirmed", "approved", "agreed"]]);
  });

  it("does not count for who has no say in it", () => {
    const byBob = { ...typing(), requestedBy: person("bob") };
    const step = confirm(byBob, person("bob"), "shop", { ...at(1), late: false });
    expect([step.approval.status, step.approval.approvals]).toEqual(["open", []]);
  });

  it("takes nothing but the name, from nobody else, and asks again for what came late", () => {
    expect(type(typing(), "shop", false, "carol").refused).toBe("not-asked");
    expect(type(typing(), "Shop").approval.typed).toEqual({ asked: 2, wrong: 1, again: "wrong" });
    const late = type(typing(), "shop", true);
    expect([late.approval.status, late.approval.typed]).toEqual(["typing", { asked: 2, wrong: 0, again: "late" }]);
  });

  it("is over after five wrong ones", () => {
    let approval = typing();
    for (let time = 0; time < 5; time++) approval = type(approval, "shot").approval;
    expect(approval).toMatchObject({ status: "void", ended: { void: "mistyped" } });
  });
});

describe("saying no", () => {
  it("takes one who could approve, until it was begun; the reason comes after", () => {
    expect(reject(anApproval(), person("bob"), at(1)).refused).toBe("role");
    const step = reject(agreed(), person("carol"), at(3));
    expect(step.approval).toMatchObject({ status: "rejected", ended: { by: { name: "carol" } } });
    expect(giveReason(step.approval, person("alice"), "because").refused).toBe("not-asked");
    const { approval } = giveReason(step.approval, person("carol"), "wrong day");
    expect(approval.ended?.reason).toBe("wrong day");
    expect(giveReason(approval, person("carol"), "or not").refused).toBe("already");
  });

  it("is taking back for who has asked, and for an admin", () => {
    const byBob = anApproval({ requestedBy: person("bob") });
    expect(cancel(byBob, person("dave"), at(1)).refused).toBe("not-yours");
    expect(cancel(byBob, person("bob"), at(1)).approval.status).toBe("cancelled");
    expect(cancel(byBob, person("carol"), at(1)).approval.status).toBe("cancelled");
    const begun = begin(agreed(), identity, worker, at(3)).approval;
    expect(cancel(begun, person("alice"), at(4)).refused).toBe("over");
  });
});

describe("carrying out", () => {
  const begun = (): Approval => begin(agreed(), identity, worker, at(3)).approval;

  it("begins once, and only what is approved", () => {
    expect(begun()).toMatchObject({ status: "executing", execution: { attempt: 1, fence: 1, host: "here" } });
    expect(begin(begun(), identity, worker, at(4)).events).toEqual([]);
    expect(begin(anApproval(), identity, worker, at(4)).approval.status).toBe("open");
    expect(begin(agreed(), identity, worker, at(60)).approval).toMatchObject({ ended: { waitedFor: "approved" } });
  });

  it("goes on after a kill, or is reported, as its contract says", () => {
    const other = { fence: 2, host: "there" };
    const resumed = takeOver(begun(), "resume", other, at(5).now).approval;
    expect(resumed.execution).toMatchObject({ attempt: 2, fence: 2, host: "there" });
    expect(takeOver(begun(), "report", other, at(5).now).approval).toMatchObject({ status: "unknown" });
    let approval = begun();
    for (let time = 0; time < 9; time++) approval = takeOver(approval, "resume", other, at(5).now).approval;
    expect(approval.status).toBe("unknown");
  });

  it("ends once", () => {
    const done = finish(begun(), {}, at(5).now).approval;
    expect(done.status).toBe("done");
    expect(finish(done, { error: { code: "internal", message: "x" } }, at(6).now).approval).toBe(done);
  });

  it("takes a handler for each action, or does not compile", () => {
    const handler = { identify: async () => identity, execute: async () => undefined };
    const whole: ActionHandlers<typeof testActions> = { rebuild: handler, strike: handler };
    // @ts-expect-error one is missing
    const less: ActionHandlers<typeof testActions> = { rebuild: handler };
    expect(Object.keys(whole).length - Object.keys(less).length).toBe(1);
  });
});

describe("whatever happens in whatever order", () => {
  const name = fc.constantFrom(...people.map((one) => one.name));
  type Deed = (approval: Approval, moment: Moment) => ApprovalStep;
  const none: Deed = (approval) => ({ approval, events: [] });
  const deeds: fc.Arbitrary<{ deed: Deed; minutes?: number; silent?: boolean }> = fc.oneof(
    fc.tuple(fc.constantFrom(approve, reject, cancel), name).map(([decide, who]) => ({
      deed: (approval: Approval, moment: Moment) => decide(approval, person(who), moment),
    })),
    fc.tuple(name, fc.constantFrom("shop", "shot"), fc.boolean()).map(([who, text, late]) => ({
      // That it is asked again is no event.
      silent: late,
      deed: (approval: Approval, moment: Moment) => confirm(approval, person(who), text, { ...moment, late }),
    })),
    fc.boolean().map((same) => ({
      deed: (approval: Approval, moment: Moment) => begin(approval, same ? identity : {}, worker, moment),
    })),
    fc.constantFrom("resume" as const, "report" as const).map((how) => ({
      deed: (approval: Approval, { now }: Moment) => takeOver(approval, how, worker, now),
    })),
    fc.boolean().map((well) => ({
      deed: (approval: Approval, { now }: Moment) =>
        finish(approval, well ? {} : { error: { code: "internal", message: "" } }, now),
    })),
    fc.integer({ min: 0, max: 12 }).map((minutes) => ({ minutes, deed: none })),
  );
  const rules = fc.record({
    approvers: fc.integer({ min: 1, max: 3 }),
    role: fc.constantFrom("operator" as const, "admin" as const),
    requesterCounts: fc.boolean(),
  });

  /** What must never be so, whatever was done. */
  function flaws(before: Approval, { approval, events }: ApprovalStep, { now, policy: own }: Moment): string[] {
    const ids = approval.approvals.map(({ by }) => by.id);
    const begins = events.some(({ what }) => what === "began");
    const claims: Readonly<Record<string, boolean>> = {
      "what is over has changed": isOver(before) && approval !== before,
      "what was begun is to be decided again": !isUndecided(before) && isUndecided(approval),
      "somebody counts twice": new Set(ids).size < ids.length,
      "begun after its time": begins && Date.parse(before.expiresAt) <= now.getTime(),
      "begun with too few": begins && ids.length < own.approvers,
      "begun by who may not": begins && !ids.every((id) => hasRole(roleOf(id) ?? "viewer", own.role)),
      "who has asked counts": begins && !own.requesterCounts && ids.some((id) => id === approval.requestedBy?.id),
      "begun without the name": begins && approval.typed !== undefined && approval.confirmedAt === undefined,
    };
    return Object.keys(claims).filter((claim) => claims[claim]);
  }

  it("nothing is begun without its approvals, it is begun once, and what is over stays so", () => {
    fc.assert(
      fc.property(rules, fc.boolean(), name, fc.array(deeds, { maxLength: 25 }), (rule, types, who, all) => {
        const own = { ...policy, ...rule };
        let approval: Approval = { ...(types ? typing() : anApproval()), policy: own, requestedBy: person(who) };
        let passed = 0;
        const events: string[] = [];
        for (const { deed, minutes = 0, silent = false } of all) {
          passed += minutes;
          const moment = at(passed, { policy: own });
          const step = deed(approval, moment);
          expect(flaws(approval, step, moment)).toEqual([]);
          // A change is on record, and what is on record is a change.
          expect(silent || step.events.length > 0 === (step.approval !== approval)).toBe(true);
          ({ approval } = step);
          events.push(...whats(step));
        }
        expect(events.filter((what) => what === "began").length).toBeLessThanOrEqual(1);
      }),
      { numRuns: 400 },
    );
  });

  it("a policy has so many approvals at most as any sequence can bring", () => {
    fc.assert(
      fc.property(rules, fc.subarray([...people]), (rule, users) => {
        const own = { ...policy, ...rule };
        const role = (id: number) => users.find((user) => user.id === id)?.role;
        const moment = at(1, { policy: own, roleOf: role });
        const reached = users.map((requester) => {
          let approval = anApproval({ policy: own, requestedBy: requester });
          for (const user of users) approval = approve(approval, user, moment).approval;
          return approval.status === "approved";
        });
        expect(mostApprovals(own, users) >= own.approvers).toBe(reached.includes(true));
      }),
    );
  });
});
