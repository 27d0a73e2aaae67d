import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { sourceSchema } from "../../src/sources/index.ts";
import { temporaryFolder } from "../support/backup.ts";
import { aBackup, backupsIn, jobContext, retentionWorld } from "../support/catalogue.ts";
import { until, useRedis } from "../support/state.ts";

const fixture = useRedis();
const minute = 60_000;

/** A world whose one backup is the output of a program. */
function world(hooks: object, more: { program?: string; backup?: object } = {}) {
  const folder = temporaryFolder();
  onTestFinished(() => folder[Symbol.dispose]());
  const log = join(folder.path, "log");
  writeFileSync(log, "");
  const script = join(folder.path, "hook.sh");
  // What it was told, on one line.
  writeFileSync(
    script,
    `#!/bin/sh\necho "$1 $VAKHTA_BACKUP $VAKHTA_STATUS $VAKHTA_RUN $VAKHTA_FOLDER$VAKHTA_ERROR" >> ${log}\n[ "$2" = fail ] && { echo told >&2; exit 7; }\n[ "$2" = wait ] && sleep 60\nexit 0\n`,
    { mode: 0o755 },
  );
  const made = retentionWorld(fixture, {
    storages: { local: { kind: "local", path: join(folder.path, "backups") } },
    backups: [
      aBackup({
        hooks: { before: [], after: [], timeout: minute, ...hooks },
        source: sourceSchema.parse({
          kind: "command",
          argv: ["sh", "-c", more.program ?? "echo data"],
          file: "data.txt",
        }),
        ...more.backup,
      }),
    ],
  });
  const order = async () => (await made.deps.orders.request({ name: "app", trigger: "cli" })).run.id;
  return {
    ...made,
    script,
    order,
    hook: (name: string, what = "") => [script, name, what],
    log: () => readFileSync(log, "utf8").trim().split("\n"),
  };
}

async function hooked(change: (script: string) => object, more: Parameters<typeof world>[1] = {}) {
  // The script's path is only known with its folder.
  const hooks: { before: string[][]; after: string[][]; timeout: number } = { before: [], after: [], timeout: minute };
  const made = world(hooks, more);
  Object.assign(made.deps.config.backups[0]?.hooks ?? {}, change(made.script));
  return made;
}

describe("hooks", () => {
  test("are over with their program, whatever it has left running with its output", async () => {
    const { deps, order, log } = await hooked((script) => ({
      after: [["sh", "-c", 'sleep 60 & echo $! > "$0"; echo started', join(dirname(script), "log")]],
      timeout: 180_000,
    }));
    onTestFinished(() => void process.kill(Number(log()[0])));
    const id = await order();
    const begin = performance.now();
    expect(await deps.runner.execute(id, jobContext())).toEqual({ done: { run: id, status: "succeeded" } });
    expect(performance.now() - begin).toBeLessThan(20_000);
    const run = await deps.runs.get(id);
    expect(run).toMatchObject({ hooks: "done" });
    expect(run.hookError).toBeUndefined();
  });

  test("run before and after, as programs with arguments, and are told of the run", async () => {
    const { deps, order, log, storage } = await hooked((script) => ({
      before: [
        [script, "before"],
        [script, "second; echo $(id)"],
      ],
      after: [[script, "after"]],
    }));
    const id = await order();
    expect(await deps.runner.execute(id, jobContext())).toEqual({ done: { run: id, status: "succeeded" } });
    const run = await deps.runs.get(id);
    const told = `${id} ${run.folder}`;
    expect(log()).toEqual([
      `before app running ${told}`,
      `second; echo $(id) app running ${told}`,
      `after app succeeded ${told}`,
    ]);
    expect(run).toMatchObject({ hooks: "done" });
    expect(run.hookError).toBeUndefined();
    expect(await backupsIn(await storage("local"))).toHaveLength(1);
    expect(await deps.runs.unsettled()).toEqual([]);
  });

  test("before that fail end the run with their name, and those for after run all the same", async () => {
    const { deps, order, log, storage } = await hooked((script) => ({
      before: [
        [script, "before", "fail"],
        [script, "never"],
      ],
      after: [[script, "after"]],
    }));
    const id = await order();
    expect(await deps.runner.execute(id, jobContext())).toEqual({ done: { run: id, status: "failed" } });
    const { error, folder } = await deps.runs.get(id);
    expect(error).toMatchObject({ step: "hook hook.sh", code: "tool-failed", stderr: "told", exit: "exit status 7" });
    expect(log()).toEqual([`before app running ${id} ${folder}`, `after app failed ${id} ${folder}tool-failed`]);
    expect(await backupsIn(await storage("local"))).toEqual([]);
  });

  test("after run also when the source fails; their own failure keeps the backup and is told", async () => {
    const failing = await hooked((script) => ({ after: [[script, "after"]] }), { program: "exit 3" });
    const first = await failing.order();
    await failing.deps.runner.execute(first, jobContext());
    expect(failing.log()[0]).toMatch(/^after app failed /);
    const { deps, order, log, storage } = await hooked((script) => ({
      after: [
        [script, "one", "fail"],
        [script, "two"],
      ],
    }));
    const id = await order();
    expect(await deps.runner.execute(id, jobContext())).toEqual({ done: { run: id, status: "succeeded" } });
    expect(log().map((line) => line.split(" ")[0])).toEqual(["one", "two"]);
    expect(await deps.runs.get(id)).toMatchObject({
      status: "succeeded",
      hooks: "done",
      hookError: { step: "hook hook.sh", stderr: "told" },
    });
    expect(await backupsIn(await storage("local"))).toHaveLength(1);
  });

  test("that take too long are ended", async () => {
    const { deps, order } = await hooked((script) => ({ before: [[script, "before", "wait"]], timeout: 300 }));
    const id = await order();
    await deps.runner.execute(id, jobContext());
    expect(await deps.runs.get(id)).toMatchObject({ status: "failed", error: { step: "hook hook.sh" } });
  });

  test("after run when a worker that was killed is succeeded by another", async () => {
    const { deps, order, log } = await hooked((script) => ({
      before: [[script, "before"]],
      after: [[script, "after"]],
    }));
    const id = await order();
    // As a worker leaves it that was killed while it read the source.
    await deps.runs.update(id, "normal", deps.clock.now(), (run) => ({
      ...run,
      status: "running",
      phase: "dump",
      attempt: 1,
      fence: 0,
      startedAt: "2026-03-01T11:00:00.000Z",
      folder: `app/20260301T110000Z-${id}/`,
      hooks: "pending",
    }));
    await deps.runner.execute(id, jobContext());
    expect(log().map((line) => line.split(" ").slice(0, 3).join(" "))).toEqual([
      "after app interrupted",
      "before app running",
      "after app succeeded",
    ]);
  });

  test("after that are owed when the run is over are run by the next worker", async () => {
    const { deps, order, log } = await hooked((script) => ({ after: [[script, "after"]] }));
    const id = await order();
    await deps.runs.update(id, "normal", deps.clock.now(), (run) => ({
      ...run,
      status: "cancelled",
      hooks: "pending",
    }));
    expect((await deps.runs.unsettled()).map((run) => run.id)).toEqual([id]);
    await deps.runner.execute(id, jobContext());
    await deps.runner.execute(id, jobContext());
    expect(log()).toHaveLength(1);
    expect(log()[0]).toMatch(/^after app cancelled /);
    expect(await deps.runs.unsettled()).toEqual([]);
  });

  test("run when the worker is told to stop, before the run is handed back", async () => {
    const { deps, order, log } = await hooked(
      (script) => ({ before: [[script, "before"]], after: [[script, "after"]] }),
      { program: "sleep 60" },
    );
    const id = await order();
    const stop = new AbortController();
    const executed = deps.runner.execute(id, jobContext({ signal: stop.signal }));
    executed.catch(() => undefined);
    await until(async () => (await deps.runs.get(id)).phase === "dump", "reading");
    stop.abort(new Error("stopping"));
    await expect(executed).rejects.toThrow();
    expect(log().map((line) => line.split(" ")[2])).toEqual(["running", "interrupted"]);
    expect(await deps.runs.get(id)).toMatchObject({ status: "queued", hooks: "done" });
  });
});

describe("hours", () => {
  test("hold a run that was ordered in them and is taken up outside of them; what has begun goes on", async () => {
    const window = { from: 22 * 60, to: 6 * 60 };
    const { deps, clock, worker } = await hooked(() => ({}), { backup: { schedule: "0 3 * * *", window } });
    clock.advance(-9 * 60 * minute + 5000);
    await deps.orders.schedule("app", {
      key: "backup:app",
      at: new Date("2026-03-01T03:00:00Z"),
      late: false,
      missed: 0,
    });
    const [run] = await deps.runs.list("app", 1);
    const id = run?.id ?? "";
    clock.advance(9 * 60 * minute);
    expect(await deps.runner.execute(id, jobContext())).toEqual({ later: 5 * minute });
    expect(await deps.runs.get(id)).toMatchObject({ status: "queued", notBefore: "2026-03-01T22:00:00.000Z" });
    clock.advance(10 * 60 * minute);
    expect(await deps.runner.execute(id, jobContext())).toMatchObject({ done: { status: "succeeded" } });
    // Where nothing is made up, it has failed.
    const strict = worker({ backups: [{ ...deps.config.backups[0], catchUp: false }] });
    await strict.orders.schedule("app", {
      key: "backup:app",
      at: new Date("2026-03-02T03:00:00Z"),
      late: false,
      missed: 0,
    });
    const [second] = await deps.runs.list("app", 1);
    clock.advance(12 * 60 * minute);
    expect(await strict.runner.execute(second?.id ?? "", jobContext())).toMatchObject({ done: { status: "failed" } });
    expect((await deps.runs.get(second?.id ?? "")).error).toMatchObject({ text: { key: "error-window" } });
  });
});

test("a part's predecessor tells how much room it needs", async () => {
  const { deps, storage, order } = await hooked(() => ({}), { program: "head -c 100000 /dev/urandom" });
  const local = await storage("local");
  const needed: (number | undefined)[] = [];
  const create = local.create.bind(local);
  local.create = async (key, options) => {
    needed.push(options.neededBytes);
    return await create(key, options);
  };
  await deps.runner.execute(await order(), jobContext());
  await deps.runner.execute(await order(), jobContext());
  expect(needed[0]).toBeUndefined();
  expect(needed[1]).toBeGreaterThan(100_000);
});
