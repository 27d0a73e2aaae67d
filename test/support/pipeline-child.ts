/**
 * A worker that makes one backup and is there to be killed: `node pipeline-child.ts <JSON>`. It prints a line of JSON
 * for each thing that it tells its observer, stops for ever at the phase `stopAt`, and waits at the phase `waitAt` until
 * something comes on its standard input.
 */
import { once } from "node:events";
import { runBackup } from "../../src/services/backup/pipeline.ts";
import { orderOf, RecordingObserver, sourceOf, storageOf } from "./backup.ts";

const { source, storages, stopAt, waitAt } = JSON.parse(process.argv[2] ?? "") as {
  source: object;
  storages: Record<string, object>;
  stopAt?: string;
  waitAt?: string;
};
const say = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);
const forEver = () => new Promise<never>(() => setInterval(() => undefined, 1000));

const observer = new RecordingObserver();
observer.onPhase = async (phase) => {
  say({ phase });
  if (phase === stopAt) await forEver();
  if (phase === waitAt) await once(process.stdin, "data");
};
observer.onOpened = async (object) => {
  say({ opened: object });
  if (stopAt === "opened") await forEver();
};
observer.onProgress = ({ bytes }) => say({ bytes });

const made = Object.entries(storages).map(([name, config]) => storageOf(name, config));
await runBackup(orderOf({ source: sourceOf(source), storages: made, observer }));
say({ done: true });
// The killer, not the end of the program, is what the test is about.
await forEver();
