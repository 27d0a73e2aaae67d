/** Does one step of a replacement until it kills itself: see `runUntilKilled`. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Redis } from "ioredis";
import type { ReplacementContext } from "../../src/sources/replacement.ts";
import { besideFor, journalIn, type KindOrder, readBackup, replacerFor } from "./replace-kinds.ts";

const order = JSON.parse(process.argv[2] ?? "") as KindOrder;
const die = (): void => {
  process.kill(process.pid, "SIGKILL");
};
const context: ReplacementContext = {
  identity: order.identity,
  signal: new AbortController().signal,
  journal: journalIn(order.backup),
  record: async (journal) => {
    writeFileSync(join(order.backup, "journal.json"), JSON.stringify(journal));
    if (journal.step === order.dieAt) die();
  },
  ...(order.former !== undefined && { former: readBackup(order.former) }),
  progress: () => {
    if (order.dieAt === "bytes") die();
  },
};
/** Watches the live Redis: what it says of itself, in one section, is what a kill is to hit. */
function dieWhen(section: "replication" | "persistence", isTime: (info: string) => boolean): void {
  const client = new Redis(String(order.config["url"]));
  const look = async (): Promise<void> => {
    if (isTime(await client.info(section))) die();
    setImmediate(() => void look());
  };
  void look();
}

if (order.dieAt === "replica") dieWhen("replication", (info) => info.includes("role:slave"));
if (order.dieAt === "loading") dieWhen("persistence", (info) => /^loading:1/m.test(info));
if (order.dieAt === "equal") dieWhen("replication", (info) => info.includes("master_link_status:up"));
const which = order.id === undefined ? {} : { id: order.id };
const reader = readBackup(order.backup);
if (order.operation === "make") await besideFor(order.config, { to: order.to ?? "" }).make(reader, context);
else if (order.operation === "prepare") await replacerFor(order.config, which).prepare(reader, context);
else await replacerFor(order.config, which)[order.operation](context);
// Whoever asks sees that nothing has killed it.
process.exit(0);
