import { pino } from "pino";
import { z } from "zod";
import { approvalsSchema } from "../../src/app/config/approvals.ts";
import type { Config } from "../../src/app/config.ts";
import type { Approval, Identity } from "../../src/core/approval.ts";
import { bindingOf } from "../../src/core/approval.ts";
import type { ApprovalPolicy } from "../../src/core/approval-policy.ts";
import type { Clock } from "../../src/core/ports.ts";
import type { Role } from "../../src/core/roles.ts";
import { Producer } from "../../src/queue/producer.ts";
import type { ActionContracts } from "../../src/services/approvals/actions.ts";
import { type ApprovalOrder, Approvals } from "../../src/services/approvals/approvals.ts";
import { ApprovalStates } from "../../src/state/approvals.ts";
import { Cards } from "../../src/state/cards.ts";
import type { Keys, Redis } from "../../src/state/redis.ts";
import { noServers } from "./no-servers.ts";

/** Two small dangerous actions: one that goes on after a kill, one that cannot. */
export const testActions = {
  rebuild: { policy: "restore", args: z.object({ from: z.string() }), interrupted: "resume" },
  strike: { policy: "reboot", args: z.object({ from: z.string() }), interrupted: "report" },
} as const satisfies ActionContracts;

/** Some people: two admins, two operators, a viewer. */
export const people = [
  { id: 1, name: "alice", role: "admin" },
  { id: 2, name: "bob", role: "operator" },
  { id: 3, name: "vera", role: "viewer" },
  { id: 4, name: "carol", role: "admin" },
  { id: 5, name: "dave", role: "operator" },
] as const;

export const person = (name: (typeof people)[number]["name"]): { id: number; name: string } => {
  const found = people.find((one) => one.name === name);
  if (!found) throw new Error(`nobody is called ${name}`);
  return { id: found.id, name };
};

export const roleOf = (id: number): Role | undefined => people.find((one) => one.id === id)?.role;

export const policy: ApprovalPolicy = {
  approvers: 2,
  role: "admin",
  requesterCounts: true,
  expires: 900_000,
  typed: "always",
};

export const identity: Identity = { manifest: "abc", database: "16384" };

/** An approval that waits for people, asked for by alice at midnight. */
export function anApproval(change: Partial<Approval> = {}): Approval {
  const what = { action: "rebuild", args: { from: "monday" }, target: "shop", identity };
  return {
    id: "a1",
    ...what,
    binding: bindingOf(what),
    title: { key: "toast-retrying", args: { name: "shop" } },
    details: [],
    policyName: "restore",
    policy,
    requestedBy: person("alice"),
    requestedAt: "2026-03-01T00:00:00.000Z",
    status: "open",
    expiresAt: "2026-03-01T00:15:00.000Z",
    approvals: [],
    ...change,
  };
}

/** The part of a configuration that approvals are about. */
export function approvalsConfig(policies: object, chatId = -1001): Config {
  return {
    approvals: approvalsSchema.parse(policies),
    telegram: { chats: { ops: { id: chatId, topics: {} } }, users: people },
    worker: { host: "here", concurrency: 1, lease: 2000 },
    ...noServers,
    timezone: "UTC",
    locale: "en",
  } as unknown as Config;
}

/** One process that takes orders and decisions. */
export function approvalsNode(
  redis: Redis,
  keys: Keys,
  { config, clock }: { readonly config: Config; readonly clock: Clock },
): { readonly approvals: Approvals<typeof testActions>; readonly states: ApprovalStates; readonly producer: Producer } {
  const states = new ApprovalStates(redis, keys);
  const producer = new Producer(redis, keys.root.split(":")[0] ?? "");
  const logger = pino({ level: "silent" });
  const cards = new Cards(redis, keys);
  const deps = { config, clock, logger, cards, approvalStates: states, producer, actions: testActions };
  return { approvals: new Approvals(deps), states, producer };
}

type Order = ApprovalOrder<typeof testActions, "rebuild">;

/** An order for the rebuilding of the shop, by alice. */
export function order(change: Partial<Order> = {}): Order {
  return {
    action: "rebuild",
    args: { from: "monday" },
    target: "shop",
    identity,
    title: { key: "toast-retrying", args: { name: "shop" } },
    requestedBy: person("alice"),
    ...change,
  };
}
