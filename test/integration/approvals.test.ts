import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { pino } from "pino";
import { describe, expect, onTestFinished, test } from "vitest";
import type { Config } from "../../src/app/config.ts";
import type { Identity } from "../../src/core/approval.ts";
import { AppError } from "../../src/core/errors.ts";
import { registerSecret } from "../../src/lib/redaction.ts";
import type { JobContext } from "../../src/queue/contracts.ts";
import type { ActionHandlers } from "../../src/services/approvals/actions.ts";
import { ApprovalRunner } from "../../src/services/approvals/runner.ts";
import { ApprovalStates } from "../../src/state/approvals.ts";
import { Audit } from "../../src/state/audit.ts";
import { Leases } from "../../src/state/leases.ts";
import type { Keys } from "../../src/state/redis.ts";
import { approvalsConfig, approvalsNode, identity, order, people, person, testActions } from "../support/approvals.ts";
import { ManualClock, useRedis } from "../support/state.ts";

const fixture = useRedis();
const minute = 60_000;
const job: JobContext = { signal: new AbortController().signal, jobId: "job", attempt: 1, maxAttempts: 1 };
const two = { restore: { approvers: 2 } };

type Handlers = ActionHandlers<typeof testActions>;

function world(policies: object = two, change: (config: Config) => Config = (config) => config) {
  const keys = fixture.keys();
  const clock = new ManualClock();
  const config = change(approvalsConfig(policies));
  const node = (of = config) => {
    const made = approvalsNode(fixture.connect(), keys, { config: of, clock });
    onTestFinished(async () => await made.producer.close());
    return made;
  };
  const first = node();
  return {
    ...first,
    keys,
    clock,
    config,
    node,
    audit: new Audit(fixture.redis, keys),
    whats: async (id: string) => (await new Audit(fixture.redis, keys).of("approval", id)).map(({ what }) => what),
    confirmed: async (change_: Parameters<typeof order>[0] = {}) => {
      const { approval } = await first.approvals.request(order(change_));
      await first.approvals.confirm(approval.id, person("alice"), approval.target, false);
      return approval.id;
    },
  };
}

function runnerOf(
  { keys, clock, config }: { keys: Keys; clock: ManualClock; config: Config },
  execute: Handlers["rebuild"]["execute"],
  identify: () => Promise<Identity> = async () => identity,
) {
  const redis = fixture.connect();
  const logger = pino({ level: "silent" });
  return new ApprovalRunner({
    config,
    clock,
    logger,
    host: "here",
    leases: new Leases(redis, keys, logger),
    approvalStates: new ApprovalStates(redis, keys),
    actions: testActions,
    actionHandlers: { rebuild: { identify, execute }, strike: { identify, execute } },
  });
}

describe("an order", () => {
  test("is recorded once with its card, its job and its entries", async () => {
    const { approvals, audit, states, producer, whats } = world();
    const made = await approvals.request(order({ source: "dialog:1" }));
    expect(made.place).toEqual({ chatId: -1001 });
    expect((await approvals.request(order({ source: "dialog:1" }))).approval).toEqual(made.approval);
    const { id } = made.approval;
    await approvals.confirm(id, person("alice"), "shop", false);
    expect(await producer.isPending("approval", `approval.${id}`)).toBe(false);
    await approvals.decide(id, "approve", person("carol"));
    expect(await producer.isPending("approval", `approval.${id}`)).toBe(true);
    expect(await whats(id)).toEqual(["requested", "confirmed", "approved", "approved", "agreed"]);
    const [last] = await audit.newest(1);
    expect(last).toMatchObject({ seq: 5, action: "rebuild", target: "shop", binding: made.approval.binding });
    expect((await audit.newest(2, 3)).map(({ seq, by }) => [seq, by?.name])).toEqual([
      [2, "alice"],
      [1, "alice"],
    ]);
    expect(JSON.stringify(await audit.newest(9))).not.toContain("monday");
    expect((await states.list(9)).map((one) => one.id)).toEqual([id]);
  });

  test("is refused where it can never be approved, by who may not ask, and twice for one target", async () => {
    const { approvals, clock } = world({ restore: { approvers: 2, requesterCounts: false } });
    await expect(approvals.request(order())).rejects.toMatchObject({ text: { key: "error-approval-impossible" } });
    const vera = order({ requestedBy: person("vera") });
    await expect(approvals.request(vera)).rejects.toMatchObject({ text: { key: "error-approval-requester" } });
    const byBob = order({ requestedBy: person("bob") });
    const { approval } = await approvals.request(byBob);
    await expect(approvals.request(byBob)).rejects.toMatchObject({ text: { args: { id: approval.id } } });
    await approvals.request(order({ ...byBob, target: "crm" }));
    // Nobody has looked at the clock, and it is over all the same.
    clock.advance(15 * minute);
    await expect(approvals.request(byBob)).resolves.toBeDefined();
  });

  test("asked for in private is shown where the others are, unless nobody else is needed", async () => {
    const place = { chatId: 1 };
    expect((await world().approvals.request(order({ place }))).place).toEqual({ chatId: -1001 });
    expect((await world({}).approvals.request(order({ place }))).place).toEqual(place);
    const byBob = order({ place, requestedBy: person("bob") });
    expect((await world({}).approvals.request(byBob)).place).toEqual({ chatId: -1001 });
  });

  test("with a secret among its arguments is refused", async () => {
    registerSecret("s3cr3t-of-approvals");
    const { approvals } = world();
    await expect(approvals.request(order({ args: { from: "s3cr3t-of-approvals" } }))).rejects.toThrow("secret");
  });
});

describe("a hundred decisions at once over several connections", () => {
  const admins = Array.from({ length: 100 }, (_, index) => ({ id: 1000 + index, name: `a${index}`, role: "admin" }));
  const crowded = (config: Config): Config =>
    ({ ...config, telegram: { ...config.telegram, users: [...people, ...admins] } }) as unknown as Config;

  test.for([
    ["approvals of different people", (index: number) => ({ what: "approve" as const, by: admins[index] })],
    ["approvals of one person", () => ({ what: "approve" as const, by: admins[0] })],
    [
      "approvals, rejections and cancellations",
      (index: number) => ({
        what: (["approve", "reject", "cancel"] as const)[index % 3] ?? "approve",
        by: admins[index],
      }),
    ],
  ] as const)("%s have one outcome", async ([, decisionOf]) => {
    const here = world({ restore: { approvers: 3, requesterCounts: false } }, crowded);
    const id = await here.confirmed();
    const nodes = Array.from({ length: 5 }, () => here.node().approvals);
    const steps = await Promise.all(
      Array.from({ length: 100 }, async (_, index) => {
        const { what, by } = decisionOf(index);
        return await nodes[index % 5]?.decide(id, what, by ?? person("carol"));
      }),
    );
    const approval = await here.approvals.read(id);
    const audit = await here.audit.of("approval", id);
    const counted = audit.filter(({ what }) => what === "approved");
    expect(counted.map(({ by }) => by?.id)).toEqual(approval?.approvals.map(({ by }) => by.id));
    expect(new Set(counted.map(({ by }) => by?.id)).size).toBe(counted.length);
    expect(counted.length).toBeLessThanOrEqual(3);
    const ends = audit.filter(({ what }) => ["rejected", "cancelled"].includes(what));
    const agreed = audit.filter(({ what }) => what === "agreed");
    expect(ends.length).toBeLessThanOrEqual(1);
    expect(agreed.length).toBe(counted.length === 3 ? 1 : 0);
    expect(approval?.status).toBe(ends[0]?.what ?? (agreed.length === 1 ? "approved" : "open"));
    // Everybody else is on record with a reason.
    const refused = steps.filter((step) => step?.refused !== undefined).length;
    expect(refused + counted.length + ends.length).toBe(100);
    const numbers = audit.map(({ seq }) => seq);
    expect(numbers).toEqual(numbers.map((_, index) => index + 1));
  });
});

describe("carrying out", () => {
  async function agreed(here: ReturnType<typeof world>): Promise<string> {
    const id = await here.confirmed();
    await here.approvals.decide(id, "approve", person("carol"));
    return id;
  }

  test("happens once, however many workers try it at once and again", async () => {
    const here = world();
    const id = await agreed(here);
    let times = 0;
    const runners = Array.from({ length: 8 }, () =>
      runnerOf(here, async (args, context) => {
        times += 1;
        expect([args, context.attempt]).toEqual([{ from: "monday" }, 1]);
        await context.note({ key: "backup-title-running", args: { name: "shop" } });
        return { key: "backup-title-succeeded", args: { name: "shop" } };
      }),
    );
    await Promise.all(runners.map(async (runner) => await runner.execute(id, job)));
    for (const runner of runners) await runner.execute(id, job);
    expect(times).toBe(1);
    expect(await here.approvals.read(id)).toMatchObject({
      status: "done",
      execution: { attempt: 1, host: "here", note: { key: "backup-title-succeeded" } },
    });
    expect((await here.whats(id)).slice(-2)).toEqual(["began", "done"]);
    // Nothing is left to be put back into a queue.
    expect(await here.approvals.requeue()).toEqual([]);
  });

  test("that fails is on record, without what is secret", async () => {
    registerSecret("hunter-of-approvals");
    const here = world();
    const id = await agreed(here);
    const runner = runnerOf(here, async () => {
      throw new AppError("source-refused", "postgres://a:hunter-of-approvals@h says no");
    });
    await runner.execute(id, job);
    const approval = await here.approvals.read(id);
    expect(approval).toMatchObject({ status: "failed", execution: { error: { code: "source-refused" } } });
    const all = JSON.stringify([approval, await here.audit.of("approval", id)]);
    expect(all).not.toContain("hunter-of");
    expect((await here.audit.newest(1))[0]).toMatchObject({ what: "failed", why: "source-refused", host: "here" });
  });

  test.for([
    ["has changed", async () => ({ ...identity, manifest: "other" }), { void: "target", facts: ["manifest"] }],
    [
      "is gone",
      async () => {
        throw new AppError("not-found", "no such backup");
      },
      { void: "gone", error: { code: "not-found" } },
    ],
  ] as const)("is void when the target %s", async ([, identify, ended]) => {
    const here = world();
    const id = await agreed(here);
    let times = 0;
    const runner = runnerOf(
      here,
      async () => {
        times += 1;
        return undefined;
      },
      identify,
    );
    await runner.execute(id, job);
    expect(await here.approvals.read(id)).toMatchObject({ status: "void", ended });
    expect(times).toBe(0);
  });

  test("waits for a target that cannot be looked at now, until it expires", async () => {
    const here = world();
    const id = await agreed(here);
    const runner = runnerOf(
      here,
      async () => undefined,
      async () => {
        throw new AppError("source-unreachable", "it does not answer", { permanent: false });
      },
    );
    expect(await runner.execute(id, job)).toEqual({ later: 3000 });
    here.clock.advance(15 * minute);
    await here.approvals.step();
    expect(await here.approvals.read(id)).toMatchObject({ status: "expired", ended: { waitedFor: "approved" } });
    expect(await runner.execute(id, job)).toEqual({ done: { approval: id, status: "expired" } });
  });

  test("does not happen when an approver was taken off the list meanwhile", async () => {
    const here = world();
    const id = await agreed(here);
    const users = people.filter(({ name }) => name !== "carol");
    const config = { ...here.config, telegram: { ...here.config.telegram, users } } as unknown as Config;
    await runnerOf({ ...here, config }, async () => undefined).execute(id, job);
    expect(await here.approvals.read(id)).toMatchObject({ status: "open" });
    expect((await here.whats(id)).at(-1)).toBe("withdrawn");
  });

  test.for([
    ["rebuild", "done", 2, ["began", "resumed", "done"]],
    ["strike", "unknown", 1, ["began", "unknown"]],
  ] as const)(
    "of %s ends as %s when its worker was killed between the intent and the outcome",
    async ([action, status, executed, ends]) => {
      const policies = { restore: { approvers: 2 }, reboot: { approvers: 2, role: "admin" } };
      const here = world(policies);
      const { approval } = await here.approvals.request({ ...order(), action });
      const { id } = approval;
      await here.approvals.confirm(id, person("alice"), "shop", false);
      await here.approvals.decide(id, "approve", person("carol"));
      const [prefix] = here.keys.root.split(":");
      const now = here.clock.now().toISOString();
      const file = join(import.meta.dirname, "../support/approval-child.ts");
      const given = JSON.stringify({ url: fixture.server.url, prefix, policies, now, id });
      const child = spawn(process.execPath, [file, given], { stdio: ["ignore", "pipe", "inherit"] });
      onTestFinished(() => void child.kill("SIGKILL"));
      await once(child.stdout, "data");
      expect(await here.approvals.read(id)).toMatchObject({ status: "executing", execution: { host: "child" } });
      child.kill("SIGKILL");
      await once(child, "exit");
      const runner = runnerOf(here, async (_args, { attempt }) => {
        expect(attempt).toBe(2);
        await fixture.redis.incr(here.keys.of("test-executed"));
        return undefined;
      });
      await runner.execute(id, job);
      expect(await here.approvals.read(id)).toMatchObject({ status });
      expect(Number(await fixture.redis.get(here.keys.of("test-executed")))).toBe(executed);
      expect((await here.whats(id)).slice(-ends.length)).toEqual(ends);
      await runner.execute(id, job);
      expect(Number(await fixture.redis.get(here.keys.of("test-executed")))).toBe(executed);
    },
  );
});

describe("time", () => {
  test("ends what nobody has decided, also when the clock jumps, and never before", async () => {
    const here = world();
    const id = await here.confirmed();
    here.clock.advance(15 * minute - 1);
    await here.approvals.step();
    expect((await here.approvals.read(id))?.status).toBe("open");
    here.clock.advance(-60 * minute);
    await here.approvals.step();
    expect((await here.approvals.read(id))?.status).toBe("open");
    here.clock.advance(100 * minute);
    const step = await here.approvals.decide(id, "approve", person("carol"));
    expect([step.refused, step.approval.status]).toEqual(["expired", "expired"]);
    await here.approvals.step();
    expect((await here.whats(id)).slice(-2)).toEqual(["expired", "refused"]);
  });

  test("forgets what is over, and not the audit log", async () => {
    const here = world();
    const id = await here.confirmed();
    await here.approvals.decide(id, "cancel", person("alice"));
    here.clock.advance(91 * 24 * 60 * minute);
    await here.approvals.step();
    expect(await here.approvals.read(id)).toBeUndefined();
    expect(await here.whats(id)).toEqual(["requested", "confirmed", "approved", "cancelled"]);
    expect((await fixture.redis.keys(`${here.keys.root}*placement*`)).length).toBe(0);
  });

  test("does not repeat a refusal in the audit log", async () => {
    const here = world();
    const id = await here.confirmed();
    for (let times = 0; times < 3; times++) await here.approvals.decide(id, "approve", person("bob"));
    const refusals = (await here.audit.of("approval", id)).filter(({ what }) => what === "refused");
    expect(refusals).toMatchObject([{ by: { name: "bob" }, why: "approve: role" }]);
  });
});
