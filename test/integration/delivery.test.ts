import { describe, expect, test } from "vitest";
import { buttonsOf, deliveryWorld } from "../support/delivery.ts";
import { ALERTS_TOPIC, ALICE, BACKUPS_TOPIC, BOB, FORUM_ID, SUPERGROUP_ID } from "../support/sandbox.ts";
import { useRedis } from "../support/state.ts";

const fixture = useRedis();
const cancel = { action: "cancel", label: "Cancel", style: "danger" as const };
const retry = { action: "retry", label: "Retry" };

describe("a card", () => {
  test("is one message, edited as its state changes, with its buttons, without previews of links", async () => {
    const world = await deliveryWorld(fixture);
    await world.create(
      "a",
      { text: "running <1> & http://example.org", buttons: [cancel] },
      { threadId: BACKUPS_TOPIC },
    );
    await world.deliver();
    const [first] = world.messages();
    expect(first).toMatchObject({
      text: "running <1> & http://example.org",
      message_thread_id: BACKUPS_TOPIC,
      link_preview_options: { is_disabled: true },
    });
    expect(first?.reply_markup?.inline_keyboard[0]?.[0]).toMatchObject({ text: "Cancel", style: "danger" });
    await world.change("a", { text: "done" });
    await world.pass(1000);
    expect(world.messages()).toMatchObject([{ message_id: first?.message_id, text: "done" }]);
    expect(buttonsOf(world.messages()[0])).toEqual([]);
  });

  test("that changes a hundred times between two looks is sent once, in its newest state", async () => {
    const world = await deliveryWorld(fixture);
    await world.create("a", { text: "0" });
    for (let n = 1; n <= 100; n++) await world.change("a", { text: `${n}` }, "progress");
    await world.deliver();
    expect(world.calls()).toMatchObject([{ method: "sendMessage", ok: true }]);
    expect(world.messages()).toMatchObject([{ text: "100" }]);
  });

  test("that looks as before costs no call and none of the budget", async () => {
    const world = await deliveryWorld(fixture);
    await world.create("a", { text: "same" });
    await world.deliver();
    for (let n = 0; n < 50; n++) {
      await world.change("a", { text: "same" });
      await world.pass(1000);
    }
    expect(world.calls()).toHaveLength(1);
    expect(await world.cards.backlog()).toBe(0);
  });

  test("whose edit Telegram already has counts as shown", async () => {
    const world = await deliveryWorld(fixture);
    await world.create("a", { text: "one" });
    await world.deliver();
    world.sandbox.addFault({ kind: "lost-answer", methods: ["editMessageText"], times: 1 });
    await world.change("a", { text: "two" });
    await world.pass(10_000);
    expect(world.calls().map(({ method, description }) => [method, description?.split(":")[1]?.trim()])).toEqual([
      ["sendMessage", undefined],
      ["editMessageText", undefined],
      ["editMessageText", "message is not modified"],
    ]);
    expect(await world.cards.backlog()).toBe(0);
  });

  test("of progress is edited every four seconds at most", async () => {
    const world = await deliveryWorld(fixture);
    await world.create("a", { text: "0" }, { urgency: "progress" });
    for (let n = 1; n <= 20; n++) {
      await world.change("a", { text: `${n}` }, "progress");
      await world.pass(1000);
    }
    expect(world.calls().length).toBeLessThanOrEqual(6);
    await world.pass(4000);
    expect(world.messages()).toMatchObject([{ text: "20" }]);
  });

  test("without news that rings is sent silently while it only shows progress", async () => {
    const world = await deliveryWorld(fixture);
    await world.create("p", { text: "p" }, { urgency: "progress" });
    await world.create("n", { text: "n" }, { urgency: "normal" });
    await world.deliver();
    expect(world.calls().map(({ params }) => [params["text"], String(params["disable_notification"])])).toEqual([
      ["n", "false"],
      ["p", "true"],
    ]);
  });

  test("is in the language of the one who reads it", async () => {
    const world = await deliveryWorld(fixture);
    world.sandbox.sendAsUser(BOB.id, { from: BOB.id, text: "/start" });
    const ref = { kind: "notice", id: "n" };
    const args = { name: "ops", chat: "-1", reason: "x" };
    await world.cards.create(ref, { message: "notice-chat-refused", args }, "normal", world.clock.now());
    for (const chatId of [FORUM_ID, BOB.id]) await world.cards.place(ref, { chatId }, "normal", world.clock.now());
    await world.deliver();
    expect(world.messages()[0]?.text).toContain("Telegram refuses to deliver");
    expect(world.messages(BOB.id)[0]?.text).toMatch(/[а-я]{5}/);
  });
});

describe("a card that nobody can render", () => {
  test("is dropped instead of being tried for ever", async () => {
    const world = await deliveryWorld(fixture);
    const ref = { kind: "unheard-of", id: "a" };
    await world.cards.create(ref, {}, "normal", world.clock.now());
    await world.cards.place(ref, { chatId: FORUM_ID }, "normal", world.clock.now());
    await world.pass(5000);
    expect(await world.cards.backlog()).toBe(0);
    expect(world.calls()).toEqual([]);
  });
});

describe("a text that is too long", () => {
  test("is cut, and the whole of it follows as a file in reply to the card", async () => {
    const world = await deliveryWorld(fixture);
    const text = `first line <&>\n${"🕓 long ".repeat(2000)}\nlast line`;
    await world.create("a", { text }, { threadId: BACKUPS_TOPIC });
    await world.pass(2000);
    const [card, file] = world.messages();
    expect(card?.text?.length).toBeLessThanOrEqual(4096);
    expect(card?.text).toMatch(/The rest is in the file below\.$/);
    expect(file).toMatchObject({
      message_thread_id: BACKUPS_TOPIC,
      reply_to_message: { message_id: card?.message_id },
    });
    const bytes = world.sandbox.file(file?.document?.file_id ?? "").data;
    expect(Buffer.from(bytes).toString("utf8")).toBe(text);
  });

  test("is not attached again as long as it stays the same", async () => {
    const world = await deliveryWorld(fixture);
    const text = "z".repeat(5000);
    await world.create("a", { text });
    await world.pass(2000);
    await world.change("a", { text, buttons: [retry] });
    await world.pass(5000);
    expect(world.calls().map(({ method }) => method)).toEqual(["sendMessage", "sendDocument", "editMessageText"]);
    expect(buttonsOf(world.messages()[0])).toEqual(["Retry"]);
  });

  test("gets its file later when there is no room for it now", async () => {
    const world = await deliveryWorld(fixture);
    for (let n = 0; n < 14; n++) await world.create(`small-${n}`, { text: `${n}` });
    await world.deliver();
    await world.create("a", { text: "z".repeat(5000) });
    await world.pass(30_000);
    expect(world.calls().map(({ method }) => method)).not.toContain("sendDocument");
    await world.pass(35_000);
    expect(world.messages().filter((message) => message.document)).toHaveLength(1);
    expect(await world.cards.backlog()).toBe(0);
  });

  test("gets its file when Telegram was away just then", async () => {
    const world = await deliveryWorld(fixture);
    world.sandbox.addFault({ kind: "reset", methods: ["sendDocument"], times: 2 });
    await world.create("a", { text: "z".repeat(5000) });
    await world.pass(15_000);
    expect(world.messages().filter((message) => message.document)).toHaveLength(1);
    expect(await world.cards.backlog()).toBe(0);
  });

  test("whose file Telegram does not want is left at that", async () => {
    const world = await deliveryWorld(fixture);
    world.sandbox.addFault({ kind: "status", methods: ["sendDocument"], status: 413 });
    await world.create("a", { text: "z".repeat(5000) });
    await world.pass(10_000);
    expect(world.calls().filter(({ method }) => method === "sendDocument")).toHaveLength(1);
    expect(await world.cards.backlog()).toBe(0);
  });
});

describe("a text that Telegram cannot parse", () => {
  test("is sent as plain text, and later changes are edited", async () => {
    const world = await deliveryWorld(fixture);
    await world.create("a", { text: "", html: "<b>broken &lt;here&gt;" });
    await world.deliver();
    expect(world.messages()).toMatchObject([{ text: "broken <here>" }]);
    await world.change("a", { text: "", html: "still <i>broken" });
    await world.pass(1000);
    expect(world.messages()).toMatchObject([{ text: "still broken" }]);
  });
});

describe("news worth ringing for", () => {
  test("is posted anew below, and the old message loses its buttons", async () => {
    const world = await deliveryWorld(fixture);
    await world.create("a", { text: "running", buttons: [cancel] });
    await world.deliver();
    const [old] = world.messages();
    world.sandbox.sendAsUser(FORUM_ID, { from: ALICE.id, text: "good night" });
    await world.change("a", { text: "failed", buttons: [retry], raise: "failed" }, "reply");
    await world.pass(2000);
    const [before, after, ...more] = world.messages();
    expect(more).toEqual([]);
    expect(before).toMatchObject({ message_id: old?.message_id, text: "⤵ failed: goes on here" });
    expect(buttonsOf(before)).toEqual([]);
    const link = `https://t.me/c/${String(FORUM_ID).slice(4)}/${after?.message_id}`;
    expect(before?.entities).toMatchObject([{ type: "text_link", url: link }]);
    expect(after?.text).toBe("failed");
    expect(buttonsOf(after)).toEqual(["Retry"]);
    expect(world.calls().at(1)).toMatchObject({ method: "sendMessage", params: { disable_notification: false } });
    // The same news does not ring twice: the new message is edited from now on.
    await world.change("a", { text: "failed, retried", raise: "failed" });
    await world.pass(2000);
    expect(world.messages()).toMatchObject([
      { text: "⤵ failed: goes on here" },
      { message_id: after?.message_id, text: "failed, retried" },
    ]);
  });

  test("is told without a link where a message has none", async () => {
    const world = await deliveryWorld(fixture);
    world.sandbox.sendAsUser(ALICE.id, { from: ALICE.id, text: "/start" });
    await world.create("a", { text: "running", buttons: [cancel] }, { chatId: ALICE.id });
    await world.deliver();
    await world.change("a", { text: "failed", raise: "failed" });
    await world.pass(2000);
    expect(world.messages(ALICE.id).map(({ text }) => text)).toEqual([
      "⤵ failed: goes on in another message of this chat",
      "failed",
    ]);
  });

  test("whose text is too long brings the file again: it stands below the old message", async () => {
    const world = await deliveryWorld(fixture);
    const text = `first line\n${"long ".repeat(2000)}`;
    await world.create("a", { text });
    await world.pass(2000);
    await world.change("a", { text, raise: "again" });
    await world.pass(5000);
    const [, , after, file] = world.messages();
    expect(after?.text).toMatch(/The rest is in the file below\.$/);
    expect(file).toMatchObject({ reply_to_message: { message_id: after?.message_id } });
    expect(file?.document).toBeDefined();
  });

  test("that comes before the card was ever shown is one message", async () => {
    const world = await deliveryWorld(fixture);
    await world.create("a", { text: "failed", raise: "failed" });
    await world.pass(5000);
    expect(world.messages()).toHaveLength(1);
    expect(world.calls()).toHaveLength(1);
  });

  test("takes the old buttons away even when the bot was killed right after posting", async () => {
    const world = await deliveryWorld(fixture);
    await world.create("a", { text: "running", buttons: [cancel] });
    await world.deliver();
    await world.change("a", { text: "failed", buttons: [retry], raise: "failed" }, "reply");
    await world.delivery.step();
    expect(world.messages().map(buttonsOf)).toEqual([["Cancel"], ["Retry"]]);
    world.sandbox.advance(2000);
    while ((await world.bot().step()) === 0);
    expect(world.messages().map(buttonsOf)).toEqual([[], ["Retry"]]);
  });
});

describe("a topic", () => {
  test.each(["closed", "deleted"] as const)("that was %s is given up for the chat itself", async (what) => {
    const world = await deliveryWorld(fixture);
    world.sandbox.changeTopic(FORUM_ID, ALERTS_TOPIC, what === "closed" ? { closed: true } : "deleted");
    await world.create("a", { text: "hello" }, { threadId: ALERTS_TOPIC });
    await world.pass(2000);
    const [message] = world.messages();
    expect(message?.text).toBe("hello");
    expect(message?.message_thread_id).toBeUndefined();
    await world.change("a", { text: "changed" });
    await world.pass(2000);
    expect(world.messages()).toMatchObject([{ text: "changed" }]);
  });
});

test("a card that Telegram rejects is tried again after a minute, not at once", async () => {
  const world = await deliveryWorld(fixture);
  world.sandbox.addFault({ kind: "status", status: 400, methods: ["sendMessage"] });
  await world.create("a", { text: "hello" });
  await world.deliver();
  await world.pass(59_000);
  expect(world.calls()).toHaveLength(1);
  world.sandbox.clearFaults();
  await world.pass(1000);
  expect(world.messages()).toMatchObject([{ text: "hello" }]);
});

test("a card whose message was deleted by hand is posted anew", async () => {
  const world = await deliveryWorld(fixture);
  await world.create("a", { text: "one", buttons: [cancel] }, { chatId: SUPERGROUP_ID });
  await world.deliver();
  const [old] = world.messages(SUPERGROUP_ID);
  world.sandbox.setMember(SUPERGROUP_ID, ALICE.id, "administrator");
  world.sandbox.deleteAsUser(SUPERGROUP_ID, old?.message_id ?? 0, ALICE.id);
  await world.change("a", { text: "two", buttons: [cancel] });
  await world.pass(2000);
  const messages = world.messages(SUPERGROUP_ID);
  expect(messages).toMatchObject([{ text: "two" }]);
  expect(messages[0]?.message_id).not.toBe(old?.message_id);
});
