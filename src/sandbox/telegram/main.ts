import { parseArgs } from "node:util";
import { startTelegramSandbox } from "./index.ts";

// One bot, three people, a group, a forum: enough to point any bot at.
const USAGE = "usage: node main.ts [--port 8081] [--host 127.0.0.1] [--token <id>:<secret>] [--username my_bot]\n";

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      port: { type: "string", default: "8081" },
      host: { type: "string", default: "127.0.0.1" },
      token: { type: "string", default: "123456789:AAsandboxTokenThatOpensNothingElse0" },
      username: { type: "string", default: "sandbox_bot" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return;
  }
  const bot = Number(values.token.split(":")[0]);
  const sandbox = await startTelegramSandbox({
    port: Number(values.port),
    host: values.host,
    bots: [{ token: values.token, username: values.username, first_name: "Sandbox bot" }],
    users: [
      { id: 111, is_bot: false, first_name: "Alice", username: "alice" },
      { id: 222, is_bot: false, first_name: "Bob", username: "bob" },
      { id: 666, is_bot: false, first_name: "Eve", label: "stranger" },
    ],
    chats: [
      { id: -1001000000001, type: "supergroup", title: "Group", members: [111, 222, bot] },
      {
        id: -1001000000002,
        type: "supergroup",
        title: "Forum",
        forum: true,
        topics: ["alerts", "backups"],
        members: [111, 222, bot],
      },
    ],
  });
  process.stdout.write(`chat: ${sandbox.url}/\napi root: ${sandbox.apiRoot}\ntoken: ${values.token}\n`);
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void sandbox.close());
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
  process.exitCode = 1;
}
