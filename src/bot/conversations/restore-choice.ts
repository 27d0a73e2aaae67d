import { readMoment } from "../../core/moment-words.ts";
import type { Text } from "../../core/text.ts";
import { formatTime } from "../../messages/format.ts";
import type { Messages } from "../../messages/index.ts";
import { wallTime } from "../../services/stamp.ts";
import type { BotDeps } from "../context.ts";
import { oneLine } from "../foreign-text.ts";
import { lastGoodBefore, restorables } from "./restore-backups.ts";

/** What is known so far of what is to be restored: plain data, and what is asked next follows from it. */
export interface RestoreChoice {
  readonly name?: string;
  /** Page of what is chosen from. */
  readonly page?: number;
  /** Id of the backup's run. */
  readonly backup?: string;
  /** The last good one before this moment (ISO 8601) is wanted; with `backup`: it was chosen by that. */
  readonly before?: string;
  /** What was remarkable about how that was written. */
  readonly beforeNote?: "skipped" | "twice";
  /** Of several databases this one. */
  readonly only?: string;
  readonly pick?: string;
  /** It is to be typed, in reply to a question. */
  readonly asks?: RestoreQuestion;
}

export type RestoreQuestion = "moment" | "pick" | "to";

/** A choice, and what is said above what is asked next. */
export interface Chosen {
  readonly choice: RestoreChoice;
  readonly notice?: Text;
}

type Deps = Pick<BotDeps, "config" | "clock" | "catalogue" | "verificationOrders">;

const longestSaid = 64;

/** A time as it can be written, for an example: "2026-11-20 14:30". */
export function exampleMoment({ config, clock }: Pick<BotDeps, "config" | "clock">): string {
  return `${wallTime(clock.now(), config.timezone).slice(0, 10)} 14:30`;
}

/** What `/restore [name] [time or run id]` asks for. `text`: what follows the command. */
export async function choiceOf(deps: Deps, text: string, messages: Messages): Promise<Chosen> {
  const { backups } = deps.config;
  const only = backups.length === 1 ? backups[0]?.name : undefined;
  const said = text.trim();
  const [first = ""] = said.split(/\s/, 1);
  const named = backups.find(({ name }) => name === first.toLowerCase())?.name;
  const rest = named === undefined ? said : said.slice(first.length).trim();
  const name = named ?? only;
  if (rest === "") return await resolved(deps, name === undefined ? {} : { name }, messages);
  const isMoment = !("problem" in readMoment(rest, momentOptions(deps)));
  if (named === undefined && !isMoment && (only === undefined || !/\d/.test(rest))) {
    // A name that there is not.
    const names = oneLine(backups.map((backup) => backup.name).join(", "), 400);
    return { choice: {}, notice: { key: "restore-ask-no-such", args: { name: oneLine(first, longestSaid), names } } };
  }
  if (name !== undefined && /^[0-9a-z]+$/.test(rest)) {
    if (await deps.verificationOrders.backup(name, rest)) return { choice: { name, backup: rest } };
    const args = { said: oneLine(rest, longestSaid), name, example: exampleMoment(deps) };
    return { choice: { name }, notice: { key: "restore-ask-no-run", args } };
  }
  return await withMoment(deps, name === undefined ? {} : { name }, rest, messages);
}

function momentOptions({ config, clock }: Pick<BotDeps, "config" | "clock">) {
  return { now: clock.now(), timezone: config.timezone };
}

/** With the moment that somebody has written; what can not be read is said, and asked once more. */
export async function withMoment(deps: Deps, choice: RestoreChoice, text: string, messages: Messages): Promise<Chosen> {
  const read = readMoment(text, momentOptions(deps));
  if ("problem" in read) {
    const args = { said: oneLine(text, longestSaid), example: exampleMoment(deps) };
    return { choice, notice: { key: `restore-ask-moment-${read.problem}`, args } };
  }
  const { asks: _, backup: __, beforeNote: ___, page: ____, ...rest } = choice;
  const note = read.note === undefined ? {} : { beforeNote: read.note };
  return await resolved(deps, { ...rest, before: read.at.toISOString(), ...note }, messages);
}

/** Chooses the last good one before the moment that is wanted, as soon as the name is known. */
export async function resolved(deps: Deps, choice: RestoreChoice, messages: Messages): Promise<Chosen> {
  const { name, before, backup } = choice;
  if (name === undefined || before === undefined || backup !== undefined) return { choice };
  const found = lastGoodBefore(await restorables(deps, name), new Date(before));
  if (found) return { choice: { ...choice, backup: found.chosen.id } };
  const { before: _, beforeNote: __, ...rest } = choice;
  const at = formatTime(new Date(before), messages.locale, deps.config.timezone);
  return { choice: rest, notice: { key: "restore-ask-moment-none", args: { name, at } } };
}
