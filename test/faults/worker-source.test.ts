import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { alice } from "../support/stack.ts";
import { lockTable, startWorkerStack, until, type WorkerStack } from "../support/worker.ts";

let stack: WorkerStack;

beforeAll(async () => {
  stack = await startWorkerStack({
    configure: ({ backups }) => {
      backups.push({ ...backups[0], source: { ...backups[0].source }, name: "hasty", timeout: "2s" });
    },
  });
  await stack.startOurWorker();
});

afterEach(async () => {
  stack.tools.replace("pg_dump", "");
  await stack.empty();
});

afterAll(async () => await stack?.[Symbol.asyncDispose]());

/** Nothing was kept anywhere, nothing runs any more. */
async function expectNothing(): Promise<void> {
  await until(() => stack.children().length === 0, { what: () => stack.children().join("\n") });
  await stack.proxy.heal();
  expect((await stack.sound()).size).toBe(0);
}

/** Presses Retry on the card of a failed run; gives the run that it ordered, when it has succeeded. */
async function retried(id: string): Promise<void> {
  await stack.press(alice.id, await stack.card(id, /failed/), "Retry");
  const [next] = await until(async () => {
    const runs = (await stack.deps.runs.list("shop", 10)).filter((run) => run.retryOf === id);
    return runs.length > 0 ? runs : undefined;
  });
  expect(next?.trigger).toBe("retry");
  expect((await stack.ended(next?.id ?? "")).status).toBe("succeeded");
  expect((await stack.sound()).size).toBe(2);
}

describe("a run fails, keeps nothing, says what happened, and can be ordered again", { timeout: 180_000 }, () => {
  test("when pg_dump ends with an error in the middle", async () => {
    stack.tools.replace(
      "pg_dump",
      `$real "$@" | head -c 20000000; echo "pg_dump: error: query failed: ERROR:  out of shared memory" >&2; exit 1`,
    );
    const id = await stack.order("shop", "alice");
    const run = await stack.ended(id);
    expect(run).toMatchObject({ status: "failed", open: [], error: { code: "source-failed", step: "pg_dump" } });
    const card = await stack.card(id, /failed/);
    expect(card.text).toMatch(/Step: pg_dump[\s\S]*pg_dump: error: query failed: ERROR: +out of shared memory/);
    expect(card.text).toMatch(/Nothing was kept of this run[\s\S]*then Retry/);
    await expectNothing();
    stack.tools.replace("pg_dump", "");
    await retried(id);
  });

  test("when somebody presses Cancel while it is cleaning up: it failed all the same, and says why", async () => {
    stack.proxy.inject({ kind: "stall" }, { on: ["AbortMultipartUpload"], times: 1 });
    stack.tools.replace("pg_dump", `$real "$@" | head -c 20000000; echo "pg_dump: error: no more" >&2; exit 1`);
    const seen = stack.proxy.requests.length;
    const id = await stack.order("shop", "alice");
    await until(() => stack.proxy.requests.slice(seen).some(({ operation }) => operation === "AbortMultipartUpload"));
    await stack.deps.orders.cancel(id, { id: alice.id, name: "alice" });
    const cancelledAt = performance.now();
    // The worker looks for it once a second.
    await until(() => performance.now() - cancelledAt > 1500);
    await stack.proxy.refuse();
    await stack.proxy.accept();
    const run = await stack.ended(id);
    expect(run).toMatchObject({ status: "failed", error: { code: "source-failed", step: "pg_dump" } });
    await stack.card(id, /failed[\s\S]*pg_dump: error: no more/);
    await expectNothing();
  });

  test("when pg_dump is killed in the middle", async () => {
    stack.tools.replace("pg_dump", `$real "$@" | head -c 20000000; kill -KILL $$`);
    const id = await stack.order("shop", "alice");
    const run = await stack.ended(id);
    expect(run).toMatchObject({ status: "failed", error: { step: "pg_dump", exit: "killed by SIGKILL" } });
    expect((await stack.card(id, /failed/)).text).toMatch(/Step: pg_dump[\s\S]*killed by SIGKILL/);
    await expectNothing();
  });

  test("when PostgreSQL goes away in the middle", async () => {
    // More than fits into pipes and buffers.
    await stack.postgres.psql("shop", "INSERT INTO blobs (data) SELECT data FROM blobs, generate_series(1, 4)");
    stack.proxy.inject({ kind: "slow", bytesPerSecond: 500_000 }, { on: ["UploadPart"] });
    const id = await stack.order("shop", "alice");
    await stack.runUntil(id, ({ phase, open }) => phase === "dump" && open.length === 2);
    await stack.postgres.kill();
    await stack.proxy.heal();
    const run = await stack.ended(id);
    expect(run.status).toBe("failed");
    expect(run.error?.code).toMatch(/^source-/);
    expect(run.error?.stderr).toMatch(/server closed the connection|terminating connection|connection to server/);
    await stack.card(id, /failed[\s\S]*Nothing was kept/);
    await expectNothing();

    // Still away: said before anything is written.
    const second = await stack.order("shop", "alice");
    expect((await stack.ended(second)).error).toMatchObject({ code: "source-unreachable" });
    await stack.card(second, /the database does not answer[\s\S]*see that the database is up/);
    await stack.postgres.restart();
    await stack.postgres.psql("shop", "DELETE FROM blobs WHERE id > 96");
    await retried(id);
  });

  test("when it takes longer than its timeout", async () => {
    const unlock = await lockTable(stack.postgres, "shop", "blobs");
    const id = await stack.order("hasty");
    const run = await stack.ended(id);
    await expectNothing();
    await unlock();
    expect(run).toMatchObject({ status: "failed", attempt: 1, error: { code: "timeout", step: "dump" } });
    await stack.card(id, /failed[\s\S]*not finished after 2 s, its timeout[\s\S]*raise timeout/);
  });

  test("when it is cancelled in the middle of the upload", async () => {
    stack.proxy.inject({ kind: "slow", bytesPerSecond: 500_000 }, { on: ["UploadPart"] });
    const id = await stack.order("shop", "alice");
    await stack.runUntil(id, ({ phase, open }) => phase === "dump" && open.length === 2);
    await stack.press(alice.id, await stack.card(id, /is running/), "Cancel");
    expect(await stack.ended(id)).toMatchObject({ status: "cancelled", cancelRequestedBy: { name: "alice" } });
    await stack.card(id, /was cancelled\s+Cancelled by alice/);
    await expectNothing();
  });
});
