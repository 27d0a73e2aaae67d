import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { loadConfig } from "../../src/app/config.ts";
import { createWorkerDeps, type WorkerDeps } from "../../src/app/worker-deps.ts";
import { isFinal } from "../../src/core/run.ts";
import { isOver, type Verification } from "../../src/core/verification.ts";
import { proofsCheck } from "../../src/services/watch/proofs.ts";
import { quiet } from "../support/backup.ts";
import { processesWith } from "../support/processes.ts";
import { alice, type RunningProcess, type Stack, startStack } from "../support/stack.ts";
import { until } from "../support/worker.ts";

/** A table whose restore into a test-restore's database stands still, and nowhere else. */
const sql = `
  CREATE FUNCTION stand_still() RETURNS boolean LANGUAGE sql AS $$
    SELECT pg_sleep(CASE WHEN current_database() LIKE 'vakhta_verify_%' AND NOT pg_catalog.pg_is_in_recovery() THEN 3600 ELSE 0 END) IS NOT NULL $$;
  CREATE TABLE held (id int CHECK (stand_still()));
  INSERT INTO held SELECT generate_series(1, 10);`;

let stack: Stack;
let deps: WorkerDeps;
let close: () => Promise<void>;
let worker: RunningProcess;
/** The worker's temporary folder: a private server's user has to get through. */
let temporary: string;

beforeAll(async () => {
  temporary = mkdtempSync(join(tmpdir(), "vakhta-test-tmp-"));
  chmodSync(temporary, 0o711);
  stack = await startStack({ sql });
  const { config } = loadConfig({ path: stack.configFile, env: {}, requires: ["redis", "storages", "sources"] });
  ({ deps, close } = createWorkerDeps({ config, logger: quiet, clock: { now: () => new Date() }, role: "test" }));
  worker = await startWorker();
  const { run } = await deps.orders.request({ name: "shop", trigger: "cli" });
  await until(async () => isFinal((await deps.runs.get(run.id)).status) || undefined, {
    timeoutMs: 60_000,
    what: () => worker.log(),
  });
  await worker.kill();
}, 180_000);
afterEach(async () => {
  await worker.kill();
  for (const verification of await deps.verifications.unsettled())
    await deps.verificationOrders.cancel(verification.id, alice_);
});
afterAll(async () => {
  await close?.();
  await stack?.[Symbol.asyncDispose]();
  rmSync(temporary, { recursive: true, force: true });
});

const alice_ = { id: alice.id, name: "alice" };

async function startWorker(env: Record<string, string> = {}): Promise<RunningProcess> {
  worker = await stack.startWorker({ TMPDIR: temporary, ...env });
  return worker;
}

async function order(): Promise<Verification> {
  const backup = await until(async () => (await deps.verificationOrders.backups("shop"))[0]);
  const { verification } = await deps.verificationOrders.request({
    backup,
    storage: "offsite",
    depth: "restored",
    trigger: "chat",
    requestedBy: alice_,
  });
  return verification;
}

async function ended(id: string): Promise<Verification> {
  return await until(
    async () => {
      const verification = await deps.verifications.get(id);
      return isOver(verification) ? verification : undefined;
    },
    { timeoutMs: 60_000, what: () => worker.log() },
  );
}

const scratchDatabases = async () =>
  await stack.postgres.psql("postgres", "SELECT count(*) FROM pg_database WHERE datname LIKE 'vakhta_verify_%'");
const standsStill = () => processesWith(join(temporary, "vakhta-verify-")).length > 0 || undefined;

describe("a worker killed with SIGKILL in a test-restore", { timeout: 180_000 }, () => {
  it("leaves no server, its folder goes with the next start, and the next one begins afresh", async () => {
    await startWorker();
    const { id } = await order();
    await until(async () => (await deps.verifications.get(id)).phase === "restored" || undefined, {
      timeoutMs: 60_000,
      what: () => worker.log(),
    });
    await until(
      () =>
        processesWith(temporary).some(({ line }) => line.includes("COPY") || line.includes("postgres")) || undefined,
      { timeoutMs: 60_000 },
    );
    await worker.kill();
    await until(() => standsStill() === undefined || undefined, {
      timeoutMs: 60_000,
      what: () =>
        processesWith(temporary)
          .map(({ line }) => line)
          .join("\n"),
    });
    const [left] = readdirSync(temporary).filter((name) => name.startsWith("vakhta-verify-"));
    expect(left).toBeDefined();
    await startWorker();
    expect(readdirSync(temporary)).not.toContain(left);
    await until(async () => (await deps.verifications.get(id)).attempt === 2 || undefined, {
      timeoutMs: 60_000,
      what: () => worker.log(),
    });
    await until(standsStill, { timeoutMs: 60_000 });
    await deps.verificationOrders.cancel(id, alice_);
    expect(await ended(id)).toMatchObject({ status: "cancelled", attempt: 2, interruptedIn: "restored" });
    expect(processesWith(join(temporary, "vakhta-verify-"))).toEqual([]);
    expect(readdirSync(temporary).filter((name) => name.startsWith("vakhta-verify-"))).toEqual([]);
  });

  it("leaves a database on the scratch server that the next attempt drops", async () => {
    stack.configure((config) => {
      config["backups"][0].verify = { scratch: stack.postgres.url("postgres") };
    });
    await startWorker();
    const { id } = await order();
    await until(async () => (await scratchDatabases()) === "1" || undefined, {
      timeoutMs: 60_000,
      what: () => worker.log(),
    });
    expect(await deps.verifications.get(id)).toMatchObject({
      scratch: { kind: "postgres", server: new URL(stack.postgres.url("postgres")).host },
    });
    await worker.kill();
    expect(await scratchDatabases()).toBe("1");
    // Cancelled while nobody works on it: the next worker only cleans up.
    await deps.verificationOrders.cancel(id, alice_);
    await startWorker();
    expect(await ended(id)).toMatchObject({ status: "cancelled" });
    await until(async () => (await scratchDatabases()) === "0" || undefined, {
      timeoutMs: 60_000,
      what: () => worker.log(),
    });
    await until(async () => (await deps.verifications.get(id)).scratch === undefined || undefined);
    // Production is as it was.
    expect(await stack.postgres.psql("shop", "SELECT count(*) FROM held")).toBe("10");
  });
});

describe("a test-restore", { timeout: 180_000 }, () => {
  const findings = async () => {
    const now = new Date();
    return await proofsCheck(deps).look({ now, awakeSince: now, open: new Map() });
  };

  it("whose scratch server is out of reach says nothing against the backup", async () => {
    stack.configure((config) => {
      config["backups"][0].verify = { scratch: "postgres://postgres@127.0.0.1:1/postgres" };
    });
    await startWorker();
    const { id } = await order();
    const done = await ended(id);
    expect(done).toMatchObject({ status: "failed", error: { code: "source-unreachable" } });
    expect(done.proof).toBeUndefined();
    expect(await findings()).toMatchObject([{ severity: "warning" }]);
    const backup = (await deps.verificationOrders.backups("shop"))[0];
    expect(backup?.proofs).toEqual([]);
  });

  it("for which there is no room says so before it begins", async () => {
    stack.configure((config) => {
      config["backups"][0].verify = {};
    });
    const small = join(temporary, "small");
    mkdirSync(small);
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=20m,mode=1777", "tmpfs", small]);
    try {
      await startWorker({ TMPDIR: small });
      const { id } = await order();
      const done = await ended(id);
      expect(done).toMatchObject({
        status: "failed",
        error: { code: "storage-full", text: { key: "error-scratch-full" } },
      });
      expect(done.proof).toBeUndefined();
      expect(readdirSync(small).filter((name) => name.startsWith("vakhta-verify-"))).toEqual([]);
    } finally {
      await worker.kill();
      execFileSync("umount", [small]);
    }
  });
});
