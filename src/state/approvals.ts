import { createHash, randomBytes } from "node:crypto";
import { type Approval, type ApprovalEvent, type ApprovalStep, isOver, isUndecided } from "../core/approval.ts";
import type { AuditEntry } from "../core/audit.ts";
import { type ChatTarget, type Urgency, urgencies } from "../core/card.ts";
import { AppError } from "../core/errors.ts";
import type { Person } from "../core/run.ts";
import { forgetLua, refuseLua, refuseOrderLua, saveLua } from "./approvals-lua.ts";
import { entryText } from "./audit.ts";
import type { CardRef } from "./card-ref.ts";
import type { Stored } from "./cards.ts";
import { type Keys, type Redis, Script } from "./redis.ts";

/** What a reply to a message of ours answers. */
export interface Prompt {
  readonly about: "name" | "reason";
  /** Of the approval. */
  readonly id: string;
}

const saveScript = new Script(saveLua);
const refuseScript = new Script(refuseLua);
const refuseOrderScript = new Script(refuseOrderLua);
const forgetScript = new Script(forgetLua);

const kind = "approval";

/** More than can be in each other's way: every change of one approval is one person's decision or one step of a worker. */
const mostAttempts = 100;

/** The same order is refused on record once in this time; milliseconds. */
const refusedMs = 3_600_000;

/** A prompt is answered within the life of its approval; housekeeping only. Milliseconds. */
const promptMs = 8 * 86_400_000;

/**
 * Approvals: the entities behind their cards. Every change is one atomic step together with what has to be shown and
 * what the audit log says of it, for exactly one of those who try it at once.
 */
export class ApprovalStates {
  readonly #redis: Redis;
  readonly #keys: Keys;

  constructor(redis: Redis, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  ref(id: string): CardRef {
    return { kind, id };
  }

  async read(id: string): Promise<Stored<Approval> | undefined> {
    const [body, revision] = await this.#redis.hmget(this.#keys.of("card", kind, id), "body", "rev");
    return body == null ? undefined : { value: JSON.parse(body) as Approval, revision: Number(revision) };
  }

  /**
   * Records a new approval, in its chat. False when its id is known; `{ other }` when another one of the same action
   * and target is not over.
   */
  async create(approval: Approval, target: ChatTarget, now: Date): Promise<boolean | { readonly other: string }> {
    const { requestedBy: by, standing } = approval;
    const agreed: ApprovalEvent[] = standing ? [{ what: "agreed", why: `standing policy: ${standing}` }] : [];
    const events: ApprovalEvent[] = [{ what: "requested", ...(by ? { by } : {}) }, ...agreed];
    return await this.#save({ approval, events }, 0, "reply", now, target);
  }

  /**
   * Applies `change` to the newest state, again when somebody else was faster. The same approval says that nothing is
   * to be done. Returns what `change` made of it in the end.
   * @throws AppError not-found when it is not known.
   */
  async update(
    id: string,
    urgency: Urgency,
    now: Date,
    change: (approval: Approval) => ApprovalStep,
  ): Promise<ApprovalStep> {
    for (let attempt = 0; attempt < mostAttempts; attempt++) {
      const { value, revision } = await this.get(id);
      const step = change(value);
      if (step.approval === value || (await this.#save(step, revision, urgency, now)) === true) return step;
    }
    const text = { key: "error-card-busy", args: { id } };
    throw new AppError("conflict", `approval ${id} changes too fast`, { permanent: false, text });
  }

  async get(id: string): Promise<Stored<Approval>> {
    const stored = await this.read(id);
    if (stored) return stored;
    const text = { key: "error-card-unknown", args: { id } };
    throw new AppError("not-found", `approval ${id} is not known`, { text });
  }

  async #save(
    { approval, events }: ApprovalStep,
    revision: number,
    urgency: Urgency,
    now: Date,
    target?: ChatTarget,
  ): Promise<boolean | { readonly other: string }> {
    const { id, status, action } = approval;
    const args = [
      this.#keys.root,
      id,
      JSON.stringify(approval),
      urgencies[urgency],
      now.getTime(),
      revision,
      isUndecided(approval) ? Date.parse(approval.expiresAt) : "",
      status === "approved" || status === "executing" ? 1 : 0,
      isOver(approval) ? 1 : 0,
      `${action} ${approval.target}`,
      target?.chatId ?? "",
      target?.threadId ?? "",
      randomBytes(6).toString("base64url"),
      ...events.map((event) => entryText(auditEntry(approval, event, now))),
    ];
    const [answer, other] = (await saveScript.run(this.#redis, [this.#keys.of("wake")], args)) as [number, string?];
    return other === undefined ? Number(answer) > 0 : { other };
  }

  /** Puts on record that somebody's decision did not count: the same of the same person once. True for the first. */
  async refuse(approval: Approval, event: ApprovalEvent & { readonly by: Person }, now: Date): Promise<boolean> {
    const mark = `${event.by.id} ${event.why}`;
    const args = [this.#keys.root, approval.id, mark, entryText(auditEntry(approval, event, now))];
    return Number(await refuseScript.run(this.#redis, [], args)) === 1;
  }

  /** Puts on record that an order was not taken, and why: the same of the same person once an hour. */
  async refuseOrder(
    {
      action,
      target,
      by,
      why,
    }: { readonly action: string; readonly target: string; readonly by: Person; readonly why: string },
    now: Date,
  ): Promise<boolean> {
    const mark = createHash("sha256").update(`${by.id}\n${action}\n${target}\n${why}`).digest("hex").slice(0, 16);
    const entry: AuditEntry = { at: now.toISOString(), about: kind, what: "refused", action, target, by, why };
    const args = [this.#keys.root, refusedMs, entryText(entry)];
    return (
      Number(await refuseOrderScript.run(this.#redis, [this.#keys.of("approval-order-refused", mark)], args)) === 1
    );
  }

  /** Ids of those whose time is over, oldest first. */
  async due(now: Date): Promise<string[]> {
    return await this.#redis.zrangebyscore(this.#keys.of("approvals-due"), "-inf", now.getTime());
  }

  /** Ids of those that wait for people. */
  async undecided(): Promise<string[]> {
    return await this.#redis.zrange(this.#keys.of("approvals-due"), 0, "-1");
  }

  /** Ids of those for which a worker has something to do. */
  async work(): Promise<string[]> {
    return await this.#redis.smembers(this.#keys.of("approvals-work"));
  }

  /** Newest first. */
  async list(limit: number): Promise<Approval[]> {
    const ids = await this.#redis.zrevrange(this.#keys.of("approvals"), 0, limit - 1);
    const all = await Promise.all(ids.map((id) => this.read(id)));
    return all.flatMap((stored) => (stored ? [stored.value] : []));
  }

  /** Forgets those that were asked for before `before` and are over. The audit log keeps what was done. */
  async prune(before: Date): Promise<void> {
    const key = this.#keys.of("approvals");
    for (const id of await this.#redis.zrangebyscore(key, "-inf", `(${before.getTime()}`, "LIMIT", 0, 100)) {
      const stored = await this.read(id);
      if (!stored || isOver(stored.value)) await forgetScript.run(this.#redis, [], [this.#keys.root, id]);
    }
  }

  /** A reply to this message of ours answers this. */
  async prompted(chatId: number, messageId: number, { about, id }: Prompt): Promise<void> {
    await this.#redis.set(this.#promptKey(chatId, messageId), `${about} ${id}`, "PX", promptMs);
  }

  async prompt(chatId: number, messageId: number): Promise<Prompt | undefined> {
    const [about, id] = ((await this.#redis.get(this.#promptKey(chatId, messageId))) ?? "").split(" ");
    return id !== undefined && (about === "name" || about === "reason") ? { about, id } : undefined;
  }

  #promptKey(chatId: number, messageId: number): string {
    return this.#keys.of("approval-prompt", chatId, messageId);
  }
}

/** An event as a line of the audit log. */
function auditEntry(approval: Approval, { what, by, why }: ApprovalEvent, now: Date): AuditEntry {
  const { id, action, target, binding, execution } = approval;
  return {
    at: now.toISOString(),
    about: kind,
    id,
    what,
    action,
    target,
    binding,
    ...(by ? { by } : {}),
    ...(why === undefined ? {} : { why }),
    ...(execution ? { host: execution.host } : {}),
  };
}
