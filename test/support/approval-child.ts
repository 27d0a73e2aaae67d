/**
 * A worker that carries out an approved action and is there to be killed: `node approval-child.ts <JSON>`. Its handler
 * counts in Redis, prints a line, and stops for ever before it is done.
 */
import { pino } from "pino";
import { ApprovalRunner } from "../../src/services/approvals/runner.ts";
import { ApprovalStates } from "../../src/state/approvals.ts";
import { Leases } from "../../src/state/leases.ts";
import { connectRedis, Keys } from "../../src/state/redis.ts";
import { approvalsConfig, identity, testActions } from "./approvals.ts";

const { url, prefix, policies, now, id } = JSON.parse(process.argv[2] ?? "") as {
  url: string;
  prefix: string;
  policies: object;
  now: string;
  id: string;
};
const logger = pino({ level: "silent" });
const redis = connectRedis(url, logger, "child");
const keys = new Keys(prefix);
const handler = {
  identify: async () => identity,
  execute: async (): Promise<never> => {
    await redis.incr(keys.of("test-executed"));
    process.stdout.write("stopped\n");
    return await new Promise<never>(() => setInterval(() => undefined, 1000));
  },
};
const runner = new ApprovalRunner({
  config: approvalsConfig(policies),
  clock: { now: () => new Date(now) },
  logger,
  host: "child",
  leases: new Leases(redis, keys, logger),
  approvalStates: new ApprovalStates(redis, keys),
  actions: testActions,
  actionHandlers: { rebuild: handler, strike: handler },
});
const signal = new AbortController().signal;
await runner.execute(id, { signal, jobId: "job", attempt: 1, maxAttempts: 1 });
