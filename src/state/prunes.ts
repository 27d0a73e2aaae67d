import type { Measure } from "../core/anomaly.ts";
import type { AuditEntry } from "../core/audit.ts";
import type { Urgency } from "../core/card.ts";
import type { PruneQuestion } from "../core/prune.ts";
import type { Text } from "../core/text.ts";
import type { CardRef } from "./card-ref.ts";
import type { Cards } from "./cards.ts";
import type { Keys, Redis } from "./redis.ts";

/** How the retention of a name in a storage stands, for the watch. Times are ISO 8601. */
export interface RetentionState {
  readonly at: string;
  /** The last attempt failed. */
  readonly error?: { readonly code: string; readonly message: string; readonly text?: Text };
  /** Manifests there that make no sense: nothing is removed while any of them may need what would go. */
  readonly unreadable?: number;
}

/**
 * Questions of the retention, what it is removing at this moment, and how it stands. Beside it what a person has said
 * about a backup's size.
 */
export class Prunes {
  readonly #redis: Redis;
  readonly #keys: Keys;
  readonly #cards: Cards;

  constructor(redis: Redis, keys: Keys, cards: Cards) {
    this.#redis = redis;
    this.#keys = keys;
    this.#cards = cards;
  }

  ref(id: string): CardRef {
    return { kind: "prune", id };
  }

  /** Records a question once, as the newest of its name and storage. */
  async create(question: PruneQuestion, now: Date): Promise<boolean> {
    const created = await this.#cards.create(this.ref(question.id), question, "normal", now);
    const field = fieldOf(question.storage, question.name);
    const before = await this.#redis.hget(this.#keys.of("prune-newest"), field);
    await this.#redis.hset(this.#keys.of("prune-newest"), field, question.id);
    // Older cards stay in the chat without their state: one question at a time is enough to remember.
    if (before !== null && before !== question.id) await this.#forgetBut(field, before);
    return created;
  }

  async read(id: string): Promise<PruneQuestion | undefined> {
    return (await this.#cards.read<PruneQuestion>(this.ref(id)))?.value;
  }

  /** The newest question of a name in a storage. */
  async newest(storage: string, name: string): Promise<PruneQuestion | undefined> {
    const id = await this.#redis.hget(this.#keys.of("prune-newest"), fieldOf(storage, name));
    return id === null ? undefined : await this.read(id);
  }

  /** The newest question of each name and storage. */
  async all(): Promise<PruneQuestion[]> {
    const ids = await this.#redis.hvals(this.#keys.of("prune-newest"));
    const questions = await Promise.all(ids.map((id) => this.read(id)));
    return questions.filter((question): question is PruneQuestion => question !== undefined);
  }

  /** Changes a question, with what the audit log says of that. The same object says that nothing is to be done. */
  async update(
    id: string,
    urgency: Urgency,
    now: Date,
    change: (question: PruneQuestion) => PruneQuestion,
    entries?: (question: PruneQuestion) => readonly AuditEntry[],
  ): Promise<PruneQuestion> {
    return await this.#cards.update(this.ref(id), urgency, now, change, entries);
  }

  /** What is being removed, by folder: the files that go with it. On record before the first of them goes. */
  async removing(storage: string, name: string): Promise<ReadonlyMap<string, readonly string[]>> {
    const all = await this.#redis.hgetall(this.#keys.of("prune-removing", storage, name));
    return new Map(Object.entries(all).map(([folder, files]) => [folder, JSON.parse(files) as string[]]));
  }

  async beginRemoval(storage: string, name: string, folder: string, files: readonly string[]): Promise<void> {
    await this.#redis.hset(this.#keys.of("prune-removing", storage, name), folder, JSON.stringify(files));
  }

  async endRemoval(storage: string, name: string, folder: string): Promise<void> {
    await this.#redis.hdel(this.#keys.of("prune-removing", storage, name), folder);
  }

  /** Since when each of these has been seen at every look; what is not among them is forgotten. */
  async orphansSince(storage: string, name: string, marks: readonly string[], now: Date): Promise<Map<string, Date>> {
    const key = this.#keys.of("prune-orphans", storage, name);
    const known = await this.#redis.hgetall(key);
    const since = new Map(marks.map((mark) => [mark, new Date(Number(known[mark] ?? now.getTime()))]));
    const gone = Object.keys(known).filter((mark) => !since.has(mark));
    if (gone.length > 0) await this.#redis.hdel(key, ...gone);
    for (const [mark, at] of since) if (known[mark] === undefined) await this.#redis.hset(key, mark, at.getTime());
    return since;
  }

  async writeState(storage: string, name: string, state: RetentionState): Promise<void> {
    await this.#redis.hset(this.#keys.of("retention"), fieldOf(storage, name), JSON.stringify(state));
  }

  async states(): Promise<{ readonly storage: string; readonly name: string; readonly state: RetentionState }[]> {
    const all = await this.#redis.hgetall(this.#keys.of("retention"));
    return Object.entries(all).map(([field, state]) => {
      const cut = field.lastIndexOf(":");
      return { storage: field.slice(0, cut), name: field.slice(cut + 1), state: JSON.parse(state) as RetentionState };
    });
  }

  /** Remembers what the sizes of a name are measured by; undefined: only by those before. */
  async measureSizes(name: string, measure: Measure | undefined): Promise<void> {
    const key = this.#keys.of("size-measure");
    if (measure) await this.#redis.hset(key, name, `${measure.bytes} ${measure.since.getTime()}`);
    else await this.#redis.hdel(key, name);
  }

  async sizeMeasure(name: string): Promise<Measure | undefined> {
    const [bytes, since] = ((await this.#redis.hget(this.#keys.of("size-measure"), name)) ?? "").split(" ").map(Number);
    return bytes === undefined || since === undefined ? undefined : { bytes, since: new Date(since) };
  }

  /** Remembers two questions of a name and storage: the newest, and the one before it, which its card still shows. */
  async #forgetBut(field: string, before: string): Promise<void> {
    const key = this.#keys.of("prune-before");
    const older = await this.#redis.hget(key, field);
    await this.#redis.hset(key, field, before);
    if (older !== null && older !== before) await this.#cards.remove(this.ref(older));
  }
}

function fieldOf(storage: string, name: string): string {
  return `${storage}:${name}`;
}
