import { parseArgs } from "node:util";
import { environmentLocale } from "./app/config.ts";
import { toAppError } from "./core/errors.ts";
import { alertCommands, playAlert } from "./demo/alert.ts";
import { playStory, type StoryStep } from "./demo/story.ts";
import { startWorld } from "./demo/world.ts";
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
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    print(texts.plain("demo-stopping"));
    void end(values.once ? 130 : 0);
  });
}

try {
  const world = await startWorld({
    port: Number(values.port),
    say: (what) => print(texts.plain(`demo-starting-${what}`)),
  });
  stop = () => world.stop();
  print(texts.plain("demo-ready", { seconds: Math.round((performance.now() - started) / 100) / 10 }));
  if (values.once) {
    const tell = ({ step, detail }: StoryStep) => print(texts.plain(`demo-step-${step}`, { detail }));
    await playStory(world, "shop", tell);
    await playStory(world, "blog", tell);
    await playAlert(world, tell);
    print(`\n${texts.plain("demo-transcript")}\n${world.sandbox.transcriptText()}`);
    print(texts.plain("demo-proven"));
    await end(0);
  }
  print(
    texts.plain("demo-guide", {
      url: world.sandbox.url,
      log: world.logFile,
      s3: `${world.s3.endpoint}/${world.s3.bucket}`,
      database: redact(world.databaseUrl),
      ...alertCommands(world),
    }),
  );
} catch (error) {
  process.stderr.write(`${texts.plain("demo-failed", { reason: reasonOf(toAppError(error)) })}\n`);
  await end(1);
}
