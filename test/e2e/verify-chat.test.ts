import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Message } from "@grammyjs/types";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { aMinuteOfSilence, answerTo, becomes, eventually, shown } from "../support/chat.ts";
import { alice, bob, mallory, type Stack, startStack, vera } from "../support/stack.ts";
import { flipBit } from "../support/verify.ts";

let stack: Stack;
let card: Message;

beforeAll(async () => {
  stack = await startStack();
  await Promise.all([stack.startBot(), stack.startWorker()]);
  const dialog = await answerTo(stack, stack.say(alice.id, "/backup shop"), /Back up shop now/);
  await stack.press(alice.id, dialog, "Confirm");
  card = await becomes(stack, dialog, /Backup shop is done/);
}, 180_000);
beforeEach(async () => await aMinuteOfSilence(stack));
afterAll(async () => await stack?.[Symbol.asyncDispose]());

/** Opens /verify and chooses the only backup. */
async function chosen(from: number): Promise<Message> {
  const list = await answerTo(stack, stack.say(from, "/verify shop"), /which of its backups/);
  const [backup] = shown(list).buttons;
  await stack.press(from, list, backup ?? "");
  return await becomes(stack, list, /How deep\?/);
}

const objects = (storage: "local" | "offsite"): string =>
  storage === "local" ? stack.localFolder : join(stack.s3.folder, "buckets", stack.s3.bucket, "objects");
const find = (storage: "local" | "offsite", file: string): string => {
  const [found] = globSync(`**/${file}`, { cwd: objects(storage) });
  if (found === undefined) throw new Error(`no ${file} in ${storage}`);
  return join(objects(storage), found);
};

describe("/verify", { timeout: 180_000 }, () => {
  test("asks which backup and how deep, says what that costs, and the card says what was proven", async () => {
    const question = await chosen(alice.id);
    expect(question.text).toMatch(/It reads .* from offsite\./);
    expect(question.text).toContain("Test-restore: it is restored into a scratch place");
    expect(shown(question).buttons).toEqual(["Test-restore", "Read whole", "Read back", "Cancel"]);
    await stack.press(alice.id, question, "Test-restore");
    await becomes(stack, question, /has been ordered/);
    const result = await stack.message(/Backup of shop holds/, { timeoutMs: 60_000 });
    expect(result.text).toMatch(/Restored and counted: 2,200 rows in 2 tables, as backed up\.\nRestore took /);
    expect(result.text).toContain("Copy in offsite");
    expect(shown(result).buttons).toEqual(["Verify again"]);
    const proofs = JSON.parse(readFileSync(find("offsite", "proof.json*"), "utf8"));
    expect(proofs.proofs).toMatchObject([{ depth: "restored", ok: true, compared: { rows: 2200, tables: 2 } }]);
    // The backup's own card shows it, and so does the question from now on.
    await becomes(stack, card, /Proven .* in offsite: test-restored and counted; the restore took/);
    const again = await chosen(alice.id);
    expect(again.text).toMatch(/✅ .*test-restored and counted, .* ago/);
    expect(again.text).toMatch(/A test-restore takes about/);
    await stack.press(alice.id, again, "Cancel");
    await becomes(stack, again, /[Cc]ancelled/);
  });

  test("opens from the backup's own card, for operators only", async () => {
    const done = await becomes(stack, card, /Backup shop is done/);
    expect(shown(done).buttons).toEqual(["Verify"]);
    expect((await stack.press(vera.id, done, "Verify")).toast).toMatch(/operator/i);
    await stack.press(mallory.id, done, "Verify").catch(() => undefined);
    const [before] = stack.sandbox.messages(done.chat.id).slice(-1);
    await stack.press(bob.id, done, "Verify");
    const question = await stack.sandbox.waitForMessage(
      done.chat.id,
      (message) => message.message_id > (before?.message_id ?? 0) && /How deep\?/.test(message.text ?? ""),
      { what: "the question" },
    );
    // It is bob's question.
    expect((await stack.press(alice.id, question, "Read back")).toast).toContain("bob");
    await stack.press(bob.id, question, "Read back");
    const result = await stack.message(/Every stored byte was read back/, { timeoutMs: 60_000 });
    expect(result.text).toContain("Asked for by bob");
  });

  test("refuses viewers, unknown names and ids", async () => {
    const answer = async (from: number, text: string) => (await answerTo(stack, stack.say(from, text), /./)).text;
    expect(await answer(vera.id, "/verify")).toMatch(/operator/i);
    expect(await answer(alice.id, "/verify nothing")).toMatch(/No backup is called nothing.*shop/s);
    expect(await answer(alice.id, "/verify shop 000000000000")).toMatch(/no backup with the id 000000000000/);
  });

  test("tells of a damaged copy on its card and as a critical incident, until it is good again", async () => {
    const mend = flipBit(find("offsite", "artifact*"));
    const question = await chosen(alice.id);
    await stack.press(alice.id, question, "Read whole");
    const result = await stack.message(/Backup of shop does not hold/, { timeoutMs: 60_000 });
    expect(result.text).toMatch(/is damaged/);
    const incident = await stack.message(/The backup of shop made at .* does not hold \(offsite\)/, {
      timeoutMs: 60_000,
    });
    expect(incident.text).toContain("/backup shop");
    await becomes(stack, card, /Did not hold/);
    mend();
    await stack.press(alice.id, result, "Verify again");
    await stack.message(/Backup of shop holds[\s\S]*Read whole/, { timeoutMs: 60_000 });
    await eventually(
      "the incident over",
      async () => {
        const text = stack.sandbox
          .messages(incident.chat.id)
          .find(({ message_id }) => message_id === incident.message_id)?.text;
        return /It was so from/.test(text ?? "");
      },
      30_000,
    );
  });
});
