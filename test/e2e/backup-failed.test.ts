import { chmodSync, globSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Message } from "@grammyjs/types";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { aMinuteOfSilence, answerTo, becomes, lastCall, runCount, shown } from "../support/chat.ts";
import { alice, type RunningProcess, type Stack, startStack, vera } from "../support/stack.ts";
import { lockTable } from "../support/worker.ts";

const rolePassword = "s3cret-of-the-reader";
let stack: Stack;
let bot: RunningProcess;
let worker: RunningProcess;

/** Tools of the database whose pg_dump tells its password and what it was called with before it fails. */
function talkativeTools(): string {
  const folder = join(stack.folder, "talkative");
  mkdirSync(folder);
  for (const tool of ["psql", "pg_dumpall"]) symlinkSync(join(stack.postgres.programs, tool), join(folder, tool));
  const script = `#!/bin/sh
if [ "$1" = --version ]; then exec ${stack.postgres.programs}/pg_dump --version; fi
for n in 1 2 3 4 5 6 7 8 9; do echo "line $n of many" >&2; done
echo "debug: PGPASSWORD=$PGPASSWORD" >&2
echo "debug: <postgresql://postgres:$PGPASSWORD@host/shop>" >&2
exit 3
`;
  writeFileSync(join(folder, "pg_dump"), script);
  chmodSync(join(folder, "pg_dump"), 0o755);
  return folder;
}

beforeAll(async () => {
  stack = await startStack({ rows: 50 });
  const reader = `CREATE ROLE reader LOGIN PASSWORD '${rolePassword}'; GRANT SELECT ON customers TO reader;`;
  await stack.postgres.psql("shop", reader);
  const source = { kind: "postgres", counts: "off" };
  stack.configure((config) => {
    config["backups"] = [
      { name: "password", source: { ...source, url: stack.postgres.url("shop", "reader", "wr0ng-password") } },
      { name: "gone", source: { ...source, url: stack.postgres.url("gone") } },
      {
        name: "rights",
        source: { ...source, url: stack.postgres.url("shop", "reader", rolePassword), globals: false },
      },
      { name: "locked", source: { ...source, url: stack.databaseUrl, lockWait: "1s" } },
      { name: "talkative", source: { ...source, url: stack.databaseUrl, bin: talkativeTools() } },
    ];
  });
  [bot, worker] = await Promise.all([stack.startBot(), stack.startWorker()]);
});
beforeEach(async () => await aMinuteOfSilence(stack));
afterAll(async () => await stack?.[Symbol.asyncDispose]());

/** Orders a backup that fails; its card. */
async function failure(name: string): Promise<Message> {
  const dialog = await answerTo(stack, stack.say(alice.id, `/backup ${name}`), /Back up .* now/);
  await stack.press(alice.id, dialog, "Confirm");
  const card = await becomes(stack, dialog, /Backup .* failed/);
  expect(card.text).toMatch(/^Step: \S/m);
  expect(card.text).toMatch(/^Nothing was kept of this run; earlier backups are untouched\.$/m);
  expect(card.text).toMatch(/^What to do: .*Retry/m);
  expect(shown(card).buttons).toEqual(["Retry"]);
  expect(globSync(`backups/${name}/**/*.*`, { cwd: stack.folder })).toEqual([]);
  const objects = await fetch(`${stack.s3.endpoint}/${stack.s3.bucket}?list-type=2&prefix=prod/${name}/`);
  expect(await objects.text()).not.toContain("<Key>");
  expect(stack.s3.openUploads()).toEqual([]);
  return card;
}

test("a wrong password is said, and is not shown", async () => {
  const card = await failure("password");
  expect(card.text).toContain('password authentication failed for user "reader"');
  expect(card.text).not.toContain("wr0ng");
  expect(worker.log()).not.toContain("wr0ng-password");
});

test("a database that is gone is said; Retry works when it is back, and only once", async () => {
  const card = await failure("gone");
  expect(card.text).toContain('database "gone" does not exist');
  await stack.postgres.createDatabase("gone", "CREATE TABLE t (n int)");
  expect((await stack.press(vera.id, card, "Retry")).toast).toBe("That takes the role operator. Nothing was done.");
  expect(await runCount(stack, "gone")).toBe(1);

  // Both wait for the bot and reach it together.
  await bot.stop();
  const since = lastCall(stack);
  for (const _ of [1, 2]) await stack.press(alice.id, card, "Retry", { waitMs: 0 });
  bot = await stack.startBot();
  await stack.sandbox.waitForCall("answerCallbackQuery", (call) => call.params["text"] === "gone: ordered again", {
    since,
    timeoutMs: 60_000,
  });
  const done = await answerTo(stack, card, /Backup gone is done/);
  expect(done.text).toMatch(/Retry of [0-9a-f]{12} by alice/);
  const old = await becomes(stack, card, /Retried by alice: run [0-9a-f]{12}/);
  expect(shown(old).buttons).toEqual([]);
  expect(old.text).not.toContain("What to do");
  expect((await stack.press(alice.id, card, "Retry")).toast).toBe("This button is out of date. Nothing was done.");
  expect(await runCount(stack, "gone")).toBe(2);
});

test("a role without rights is said in pg_dump's own words", async () => {
  const card = await failure("rights");
  expect(card.text).toMatch(/Step: pg_dump/);
  expect(card.text).toContain("permission denied for table orders");
  const pre = card.entities?.find((entity) => entity.type === "pre");
  expect((card.text ?? "").slice(pre?.offset, (pre?.offset ?? 0) + (pre?.length ?? 0))).toContain("permission denied");
});

test("a table that stays locked ends the run with a line that says so", async () => {
  const unlock = await lockTable(stack.postgres, "shop", "orders");
  try {
    const card = await failure("locked");
    expect(card.text).toContain("a table stayed locked for too long");
  } finally {
    await unlock();
  }
});

test("the last lines of a tool are shown without the secrets in them, as text and not as markup", async () => {
  const card = await failure("talkative");
  expect(card.text).toMatch(/Step: pg_dump/);
  expect(card.text).toContain("line 9 of many");
  expect(card.text).toContain("debug: PGPASSWORD=[redacted]");
  expect(card.text).toContain("debug: <postgresql://postgres:[redacted]@host/shop>");
  for (const text of [card.text ?? "", worker.log(), stack.sandbox.transcriptText()])
    expect(text).not.toContain(stack.postgres.password);
  const stored = await stack.client.hgetall("stack:v1:dialogs");
  expect(JSON.stringify(stored)).not.toContain(stack.postgres.password);
});
