import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { environmentLocale } from "./app/config.ts";
import { toAppError } from "./core/errors.ts";
import { alertCommands, playAlert } from "./demo/alert.ts";
import { playServers, serverCommands } from "./demo/server-story.ts";
import { playStory, type StoryStep } from "./demo/story.ts";
import { type DemoWorld, startWorld } from "./demo/world.ts";
import { redact } from "./lib/redaction.ts";
import { messagesOf, reasonOf } from "./messages/index.ts";

/** `npm run demo [-- --once] [-- --port N]`: everything on this machine, nothing outside it. */
const { values } = parseArgs({
  options: { once: { type: "boolean", default: false }, port: { type: "string", default: "0" } },
});
const texts = messagesOf(environmentLocale());
const print = (line: string): void => void process.stdout.write(`${line}\n`);
const started = performance.now();

let stop = async (): Promise<void> => undefined;
let stopping: Promise<never> | undefined;
/** Ends everything once; whoever asks again waits for the same end. */
function end(code: number): Promise<never> {
  stopping ??= stop().then(() => process.exit(code));
  return stopping;
}

let world: DemoWorld | undefined;
/** The newest lines of the log that a failure is told with. */
const mostWarnings = 20;

/** What a failure is understood by, and is gone when everything is stopped: the chat, and what the log warns of. */
function traces({ sandbox, logFile }: DemoWorld): string {
  const isWarning = (line: string): boolean => /^\{"level":[456]0,/.test(line);
  const warnings = readFileSync(logFile, "utf8").split("\n").filter(isWarning).slice(-mostWarnings);
  const chat = `\n${texts.plain("demo-transcript")}\n${sandbox.transcriptText()}\n`;
  return warnings.length === 0 ? chat : `${chat}\n${texts.plain("demo-warnings")}\n${warnings.join("\n")}\n`;
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    print(texts.plain("demo-stopping"));
    void end(values.once ? 130 : 0);
  });
}

try {
  const running = await startWorld({
    port: Number(values.port),
    say: (what) => print(texts.plain(`demo-starting-${what}`)),
  });
  world = running;
  stop = () => running.stop();
  print(texts.plain("demo-ready", { seconds: Math.round((performance.now() - started) / 100) / 10 }));
  if (values.once) {
    const tell = ({ step, detail }: StoryStep) => print(texts.plain(`demo-step-${step}`, { detail }));
    await playStory(running, "shop", tell);
    await playStory(running, "blog", tell);
    await playAlert(running, tell);
    await playServers(running, tell);
    print(`\n${texts.plain("demo-transcript")}\n${running.sandbox.transcriptText()}`);
    print(texts.plain("demo-proven"));
    await end(0);
  }
  print(
    texts.plain("demo-guide", {
      url: running.sandbox.url,
      log: running.logFile,
      s3: `${running.s3.endpoint}/${running.s3.bucket}`,
      database: redact(running.databaseUrl),
      ...serverCommands(running),
      ...alertCommands(running),
    }),
  );
} catch (error) {
  process.stderr.write(`${texts.plain("demo-failed", { reason: reasonOf(toAppError(error)) })}\n`);
  if (world) process.stderr.write(traces(world));
  await end(1);
}
