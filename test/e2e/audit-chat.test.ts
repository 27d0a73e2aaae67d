import type { Message } from "@grammyjs/types";
import { expect, test } from "vitest";
import { readExportLine } from "../../src/core/audit.ts";
import { type BotOptions, startWholeBot } from "../support/bot.ts";
import { ALICE, BOB, BOT_ID, EVE, SUPERGROUP_ID } from "../support/sandbox.ts";
import { until, useRedis } from "../support/state.ts";

const fixture = useRedis();
const vera = { id: 333, is_bot: false, first_name: "Vera" };
const everybody = [ALICE, BOB, vera, EVE];
const members = [...everybody.map(({ id }) => id), BOT_ID];
const at = "2026-03-01T00:00:00.000Z";

const options = {
  sandbox: {
    users: everybody,
    chats: [{ id: SUPERGROUP_ID, type: "supergroup" as const, title: "Ops", members }],
  },
  users: [
    { id: BOB.id, name: "bob", role: "operator" as const },
    { id: vera.id, name: "vera", role: "viewer" as const },
  ],
} satisfies BotOptions;

async function chat(change: Partial<BotOptions> = {}) {
  const world = await startWholeBot(fixture, SUPERGROUP_ID, { ...options, ...change });
  const { sandbox, deps } = world;
  const mine = (chatId: number): Message[] => sandbox.messages(chatId).filter(({ from }) => from?.id === BOT_ID);
  const shown = async (pattern: RegExp, chatId: number = SUPERGROUP_ID): Promise<Message> =>
    await until(
      () => mine(chatId).findLast(({ text, caption }) => pattern.test(text ?? caption ?? "")),
      `a message like ${pattern}`,
    );
  return {
    ...world,
    mine,
    shown,
    type: (from: number, text: string, chatId: number = SUPERGROUP_ID) => sandbox.sendAsUser(chatId, { from, text }),
    press: async (from: number, message: Message, label: string): Promise<string | undefined> => {
      const button = message.reply_markup?.inline_keyboard.flat().find(({ text }) => text === label);
      if (!button || !("callback_data" in button)) throw new Error(`no button ${label} on ${message.text}`);
      const { message_id, chat: where } = message;
      const pressed = await sandbox.press(where.id, {
        from,
        message_id,
        data: button.callback_data,
        force: true,
        waitMs: 10_000,
      });
      return pressed.answer?.text;
    },
    fill: async () => {
      for (let index = 1; index <= 20; index++)
        await deps.audit.append({
          at,
          about: index % 2 === 0 ? "pin" : "approval",
          what: index % 2 === 0 ? "pinned" : "approved",
          target: index % 5 === 0 ? "billing" : "shop",
          by: index % 2 === 0 ? { id: BOB.id, name: "bob" } : { id: ALICE.id, name: "<alice>" },
        });
    },
  };
}

const labels = (message: Message): string[] =>
  (message.reply_markup?.inline_keyboard ?? []).flat().map(({ text }) => text);
const numbers = ({ text = "" }: Message): number[] => [...text.matchAll(/^#(\d+)/gm)].map(([, seq]) => Number(seq));

test("an admin pages through the log, looks at an entry, and at those of a person", async () => {
  const { fill, type, shown, press } = await chat();
  await fill();
  type(ALICE.id, "/audit");
  const list = await shown(/Audit log/);
  expect(numbers(list)).toEqual([20, 19, 18, 17, 16, 15, 14, 13]);
  expect(list.text).toContain("<alice>: approved · shop");
  await press(ALICE.id, list, "Older ▶");
  const older = await shown(/#12/);
  expect([older.message_id, numbers(older)]).toEqual([list.message_id, [12, 11, 10, 9, 8, 7, 6, 5]]);
  await press(ALICE.id, older, "#10");
  const entry = await shown(/#10: pinned/);
  expect(entry.text).toMatch(/Who: bob, 222\nAbout: pin\nTarget: billing/);
  expect(entry.text).toMatch(/This entry: [0-9a-f]{64}$/);
  expect(labels(entry)).toEqual(["Only bob", "Only billing", "Only Pins", "◀ List"]);
  await press(ALICE.id, entry, "◀ List");
  await press(ALICE.id, await shown(/#12/), "◀ Newer");
  expect(numbers(await shown(/#20/))).toEqual([20, 19, 18, 17, 16, 15, 14, 13]);
  await press(ALICE.id, await shown(/#20/), "#19");
  await press(ALICE.id, await shown(/#19: approved/), "Only <alice>");
  expect(numbers(await shown(/Only: by:111/))).toEqual([19, 17, 15, 13, 11, 9, 7, 5]);
});

test("words choose a person, a kind or a target, and numbers one entry or a document of some", async () => {
  const { fill, type, shown, sandbox } = await chat();
  await fill();
  type(ALICE.id, "/audit by:bob billing", ALICE.id);
  expect(numbers(await shown(/Only: by:bob billing/, ALICE.id))).toEqual([20, 10]);
  type(ALICE.id, "/audit kind:pinned target:shop", ALICE.id);
  expect(numbers(await shown(/Only: kind:pinned/, ALICE.id))).toEqual([18, 16, 14, 12, 8, 6, 4, 2]);
  type(ALICE.id, "/audit nobody", ALICE.id);
  await shown(/Nothing is on record/, ALICE.id);
  type(ALICE.id, "/audit #7", ALICE.id);
  await shown(/#7: approved/, ALICE.id);
  type(ALICE.id, "/audit export 3-5", ALICE.id);
  const { document } = await shown(/Entries 3 to 5: 3/, ALICE.id);
  const lines = sandbox
    .file(document?.file_id ?? "")
    .data.toString()
    .trimEnd()
    .split("\n");
  expect(JSON.parse(lines[0] ?? "")).toMatchObject({ export: { from: 3, to: 5, head: { seq: 20 } } });
  expect(lines.slice(1).map((line) => readExportLine(line)?.seq)).toEqual([3, 4, 5]);
  type(ALICE.id, "/audit export nothing", ALICE.id);
  await shown(/Like this/, ALICE.id);
});

test("strangers get silence and are on record; those with another role a line", async () => {
  const { fill, type, shown, press, mine, deps, clock } = await chat();
  await fill();
  type(ALICE.id, "/audit");
  const list = await shown(/Audit log/);
  const before = mine(SUPERGROUP_ID).length;
  type(EVE.id, "/audit@watch_bot everything");
  type(EVE.id, "what is this?");
  type(EVE.id, "/restore app");
  type(EVE.id, "/audit", EVE.id);
  expect(await press(EVE.id, list, "Export")).toMatch(/not on the list/);
  expect(await press(BOB.id, list, "Export")).toMatch(/takes the role admin/);
  type(BOB.id, "/audit");
  await shown(/takes the role admin|role admin/);
  type(vera.id, "/audit", vera.id);
  await shown(/role admin/, vera.id);
  expect(mine(EVE.id)).toEqual([]);
  expect(mine(SUPERGROUP_ID).length).toBe(before + 1);
  const pending = await until(async () => {
    const [one] = await deps.strangers.pending();
    return one && one.presses + one.commands >= 3 ? one : undefined;
  }, "the stranger's count");
  expect(pending).toMatchObject({ by: { id: EVE.id }, presses: 1 });
  await press(ALICE.id, list, "↻ Refresh");
  await shown(/Strangers of this hour, not on record yet: Eve.* ×\d/);
  clock.advance(3_600_000);
  expect(await deps.strangers.record(clock.now())).toBe(1);
  expect((await deps.audit.newest(1))[0]).toMatchObject({ about: "stranger", by: { id: EVE.id } });
});
