import type { Message } from "@grammyjs/types";
import { AppError } from "../core/errors.ts";
import { botMessage, button, type StoryStep } from "./story.ts";
import { alertsTopic, alice, type DemoWorld, opsChat } from "./world.ts";

/** The server that the story restarts. */
const restarted = "web-2";

/**
 * Servers without a person: the fleet as a table, a server as a picture, and a reboot that is asked for, agreed to, carried
 * out at the provider and followed until the server answers.
 * @throws AppError with the step that failed.
 */
export async function playServers(world: DemoWorld, tell: (step: StoryStep) => void): Promise<void> {
  const fleet = await answer(world, "/stats", ({ text = "" }) => text.includes(restarted));
  tell({ step: "measured", detail: fleet.text ?? "" });
  const picture = await answer(world, `/stats ${restarted} 24h`, ({ photo }) => photo !== undefined);
  const { width = 0, height = 0 } = picture.photo?.at(-1) ?? {};
  tell({ step: "drawn", detail: `${firstLine(picture)} (${width}×${height})` });
  const before = orders(world);
  const dialog = await answer(world, `/reboot ${restarted}`, (message) => button(message, "Soft reboot") !== undefined);
  await press(world, dialog, "Soft reboot");
  const question = await botMessage(
    world,
    (message) => (message.text ?? "").includes(restarted) && button(message, "Confirm") !== undefined,
    "the question about the reboot",
  );
  await press(world, question, "Confirm");
  tell({ step: "rebooting", detail: `/reboot ${restarted}, Soft reboot, Confirm` });
  // What has become of it is told in a message that makes a sound, not by an edit of the first one.
  const card = await botMessage(
    world,
    ({ text = "", message_id: id }) =>
      id >= question.message_id && text.includes("checks green") && /^(✅|☑️|❌|⚠️|🔴)/u.test(text),
    "the end of the reboot",
  );
  if (!/^(✅|☑️)/u.test(card.text ?? "")) throw new AppError("internal", `the server did not come back: ${card.text}`);
  const asked = orders(world) - before;
  if (asked !== 1) throw new AppError("internal", `the reboot was asked for ${asked} times`);
  tell({ step: "back", detail: card.text ?? "" });
}

/** How often the provider was asked to restart a server. */
function orders({ servers }: DemoWorld): number {
  return servers.timeweb.counts()["POST /api/v1/servers/:id/reboot"] ?? 0;
}

async function answer(world: DemoWorld, text: string, matches: (message: Message) => boolean): Promise<Message> {
  const asked = world.sandbox.sendAsUser(opsChat, { from: alice, text, message_thread_id: alertsTopic });
  return await botMessage(
    world,
    (message) => message.message_id > asked.message_id && matches(message),
    `the answer to ${text}`,
  );
}

async function press({ sandbox }: DemoWorld, message: Message, label: string): Promise<void> {
  const data = button(message, label) ?? "";
  await sandbox.press(opsChat, { from: alice, message_id: message.message_id, data, waitMs: 10_000 });
}

const firstLine = ({ text, caption }: Message) => (text ?? caption ?? "").split("\n", 1)[0] ?? "";

/** What to type to have a server work too hard, and to have one hang. */
export function serverCommands({ servers }: DemoWorld): Record<"load" | "hang", string> {
  const admin = `${servers.timeweb.url}/_sandbox/servers/101`;
  const load = JSON.stringify({ cpu: 0.97, forMs: 600_000 });
  return {
    load: `curl -H 'content-type: application/json' -d '${load}' ${admin}/load`,
    hang: `curl -X POST ${admin}/hang`,
  };
}
