import { Bot, InlineKeyboard, InputFile } from "grammy";
import { expect, onTestFinished, test } from "vitest";
import { ALICE, BOT, BOT_ID, FORUM_ID, testSandbox } from "../../support/sandbox.ts";

test("a grammy bot answers a command, is pressed, edits and toasts", async () => {
  const sandbox = await testSandbox();
  const bot = new Bot(BOT.token, { client: { apiRoot: sandbox.apiRoot } });
  onTestFinished(() => bot.stop());
  bot.command("start", (ctx) =>
    ctx.reply("<b>Hello</b> &amp; welcome", {
      parse_mode: "HTML",
      reply_markup: new InlineKeyboard().text("Confirm", "yes").danger().text("Cancel", "no"),
    }),
  );
  bot.callbackQuery("yes", async (ctx) => {
    await ctx.answerCallbackQuery({ text: "Done", show_alert: true });
    await ctx.editMessageText("carried out");
  });
  void bot.start({ timeout: 5 });

  sandbox.sendAsUser(ALICE.id, { from: ALICE.id, text: "/start" });
  const hello = await sandbox.waitForMessage(ALICE.id, (message) => message.text === "Hello & welcome");
  expect(hello.from?.id).toBe(BOT_ID);
  expect(hello.entities).toEqual([{ type: "bold", offset: 0, length: 5 }]);
  expect(hello.reply_markup?.inline_keyboard[0]?.[0]).toEqual({
    text: "Confirm",
    callback_data: "yes",
    style: "danger",
  });

  const pressed = await sandbox.press(ALICE.id, {
    from: ALICE.id,
    message_id: hello.message_id,
    data: "yes",
    waitMs: 5000,
  });
  expect(pressed.answer).toEqual({ text: "Done", show_alert: true });
  const edited = await sandbox.waitForMessage(ALICE.id, (message) => message.text === "carried out");
  expect(edited.message_id).toBe(hello.message_id);
  expect(edited.reply_markup).toBeUndefined();
  expect(edited.edit_date).toBeTypeOf("number");
});

test("documents go up by multipart and come down again", async () => {
  const sandbox = await testSandbox();
  const { api } = new Bot(BOT.token, { client: { apiRoot: sandbox.apiRoot } });
  const sent = await api.sendDocument(FORUM_ID, new InputFile(Buffer.from("line 1\nline 2\n"), "report.txt"), {
    caption: "<i>report</i>",
    parse_mode: "HTML",
    message_thread_id: 12,
  });
  expect(sent.document).toMatchObject({ file_name: "report.txt", file_size: 14 });
  expect(sent.caption_entities).toEqual([{ type: "italic", offset: 0, length: 6 }]);
  expect(sent.is_topic_message).toBe(true);
  const file = await api.getFile(sent.document.file_id);
  const bytes = await fetch(`${sandbox.apiRoot}/file/bot${BOT.token}/${file.file_path}`);
  expect(await bytes.text()).toBe("line 1\nline 2\n");
  const again = await api.sendDocument(FORUM_ID, sent.document.file_id);
  expect(again.document.file_unique_id).toBe(sent.document.file_unique_id);
});
