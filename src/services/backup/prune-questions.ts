import type { Config } from "../../app/config.ts";
import type { Clock } from "../../core/ports.ts";
import { type PruneQuestion, stillHolds } from "../../core/prune.ts";
import type { Person } from "../../core/run.ts";
import { digest } from "../../core/signal.ts";
import type { Logger } from "../../lib/logger.ts";
import type { Producer } from "../../queue/producer.ts";
import type { Cards } from "../../state/cards.ts";
import type { Prunes } from "../../state/prunes.ts";
import type { Storage } from "../../storages/types.ts";
import { placeOf } from "../alerts/routing.ts";
import { enqueueAnew, hostOfCopies } from "../places.ts";
import { policyFor, policyText, type RetentionLook } from "./retention.ts";

export interface PruneQuestionsDeps {
  readonly config: Config;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly cards: Cards;
  readonly prunes: Prunes;
  readonly producer: Producer;
}

type BackupConfig = Config["backups"][number];

/** Who has said no is asked again after this time; milliseconds. */
const askAgainAfterMs = 7 * 24 * 3_600_000;

/** Asks in the chat before very much is removed, and takes the answers. */
export class PruneQuestions {
  readonly #deps: PruneQuestionsDeps;

  constructor(deps: PruneQuestionsDeps) {
    this.#deps = deps;
  }

  /**
   * Asks whether all that the plan would remove may go. Nothing new while a question about the same is open, or was
   * answered with no a short while ago; one that is out of date is void. Undefined: nobody is asked now.
   */
  async ask(backup: BackupConfig, storage: Storage, look: RetentionLook): Promise<PruneQuestion | undefined> {
    const { prunes, cards, clock, config, logger } = this.#deps;
    const now = clock.now();
    const { name } = backup;
    const known = await prunes.newest(storage.name, name);
    const { remove } = look.plan;
    const policy = policyText(policyFor(backup, storage.name));
    let question = known;
    if (!known || !this.#stands(known, remove, policy, now)) {
      if (known?.status === "asked") await this.avoid(known.id);
      question = this.#question(known, { name, storage, look, policy }, now);
      await prunes.create(question, now);
      logger.warn(
        { backup: name, storage: storage.name, would: remove.length, of: look.backups.length },
        "the retention would remove very much: it asks",
      );
    }
    if (question?.status !== "asked") return undefined;
    const target = placeOf(config, { chat: backup.chat, topic: backup.topic ?? "backups" });
    // Placed also when it exists already: a worker may have been killed before that.
    if (target) await cards.place(prunes.ref(question.id), target, "normal", now);
    return question;
  }

  /** A person's answer; the first one counts. @throws AppError not-found when the question is forgotten. */
  async answer(id: string, answer: "confirmed" | "cancelled", by: Person): Promise<PruneQuestion> {
    const { prunes, clock, logger } = this.#deps;
    const now = clock.now();
    let isOurs = false;
    const at = now.toISOString();
    const what = answer === "confirmed" ? "removal-agreed" : "removal-declined";
    const question = await prunes.update(
      id,
      "reply",
      now,
      (current) => {
        isOurs = current.status === "asked";
        return isOurs ? { ...current, status: answer, answered: { by, at } } : current;
      },
      ({ name: target, storage, folders }) => [
        { at, about: "prune", what, id, target, by, count: folders.length, details: { storage } },
      ],
    );
    if (!isOurs) return question;
    const { name, storage, folders } = question;
    logger.warn({ question: id, backup: name, storage, answer, by: by.id, backups: folders.length }, "answered");
    if (answer === "confirmed") await this.enqueue(question);
    return question;
  }

  /** Puts the removal that somebody has agreed to into the queue of the right worker. */
  async enqueue({ id, name, storage }: PruneQuestion): Promise<boolean> {
    const host = hostOfCopies(this.#deps.config, storage, name);
    const payload = { storage, name, question: id };
    return await enqueueAnew(this.#deps.producer, "prune", payload, { id: `prune.${id}`, host });
  }

  /** Answers that nobody has carried out: their job is gone. For the clock. */
  async requeue(): Promise<string[]> {
    const requeued: string[] = [];
    for (const question of await this.#deps.prunes.all())
      if (question.status === "confirmed" && (await this.enqueue(question))) requeued.push(question.id);
    return requeued;
  }

  /** It was carried out, but for so many that were pinned at the last moment. */
  async done(id: string, kept: number): Promise<void> {
    await this.#end(id, (current) => ({ ...current, status: "done", removed: current.folders.length - kept }));
  }

  /** What it names is no longer what would go. */
  async avoid(id: string): Promise<void> {
    await this.#end(id, (current) =>
      current.status === "asked" || current.status === "confirmed" ? { ...current, status: "void" } : current,
    );
  }

  /** There is nothing to ask any more. */
  async withdraw(storage: string, name: string): Promise<void> {
    const known = await this.#deps.prunes.newest(storage, name);
    if (known?.status === "asked") await this.avoid(known.id);
  }

  #stands(known: PruneQuestion, remove: readonly string[], policy: string, now: Date): boolean {
    if (known.status === "confirmed") return true;
    if (known.policy !== policy || !stillHolds(known, remove)) return false;
    if (known.status === "asked") return true;
    const age = now.getTime() - Date.parse(known.answered?.at ?? known.askedAt);
    return known.status === "cancelled" && age >= 0 && age < askAgainAfterMs;
  }

  #question(
    before: PruneQuestion | undefined,
    about: { readonly name: string; readonly storage: Storage; readonly look: RetentionLook; readonly policy: string },
    now: Date,
  ): PruneQuestion {
    const { name, storage, look, policy } = about;
    const { remove } = look.plan;
    const going = look.backups.filter(({ stays }) => !stays);
    const bytes = (backups: typeof going): number => backups.reduce((sum, backup) => sum + backup.bytes, 0);
    return {
      // A worker that was killed before the rest was done asks the same question once more.
      id: digest(["prune", before?.id ?? "", storage.name, name, ...remove].join(" "), 12),
      name,
      storage: storage.name,
      location: storage.location,
      status: "asked",
      askedAt: now.toISOString(),
      folders: remove,
      oldest: going.at(-1)?.startedAt.toISOString() ?? now.toISOString(),
      newest: going[0]?.startedAt.toISOString() ?? now.toISOString(),
      bytes: bytes(going),
      total: look.backups.length,
      totalBytes: bytes([...look.backups]),
      policy,
    };
  }

  async #end(id: string, change: (question: PruneQuestion) => PruneQuestion): Promise<void> {
    const now = this.#deps.clock.now();
    await this.#deps.prunes.update(id, "normal", now, (current) => {
      const next = change(current);
      return next === current ? current : { ...next, endedAt: now.toISOString() };
    });
  }
}
