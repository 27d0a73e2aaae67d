import type { Shown } from "../core/rule-reasons.ts";
import type { OverReason, RuleState } from "../core/rule-state.ts";
import { type Keys, type Redis, Script } from "./redis.ts";

/** What is kept of a rule at a server while it holds there, or until its end has been told. */
export interface RuleRecord {
  readonly rule: string;
  readonly server: string;
  /** A digest of what the rule said when this began: with other conditions it is another rule. */
  readonly text: string;
  readonly state: RuleState;
  /** What its incident says; absent: nothing was told yet. */
  readonly told?: Told;
}

export interface Told extends Shown {
  /** A digest of everything else that is shown. */
  readonly look: string;
}

/** A record with what is needed to change it. */
export interface KnownRecord {
  readonly record: RuleRecord;
  /** As it is stored. */
  readonly stored: string;
}

/** What is to become of one; `record` undefined: it is forgotten. */
export interface RecordChange {
  readonly rule: string;
  readonly server: string;
  readonly known: KnownRecord | undefined;
  readonly record: RuleRecord | undefined;
}

/** KEYS states; ARGV of each: field, as it was ('': none), as it is to be ('': none). Gives 1 for each that nobody was faster with. */
const replaceScript = new Script(`
local done = {}
for i = 1, #ARGV, 3 do
  local stored = redis.call('HGET', KEYS[1], ARGV[i]) or ''
  if stored ~= ARGV[i + 1] then
    done[#done + 1] = 0
  else
    if ARGV[i + 2] == '' then redis.call('HDEL', KEYS[1], ARGV[i])
    else redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 2]) end
    done[#done + 1] = 1
  end
end
return done`);

/** So many are changed in one call: Redis does nothing else meanwhile. */
const atOnce = 200;

/** Where the rules are at the servers: one entry for each rule that holds at a server, none for those that do not. */
export class RuleStates {
  readonly #redis: Redis;
  readonly #key: string;

  constructor(redis: Redis, keys: Keys) {
    this.#redis = redis;
    this.#key = keys.of("rule-states");
  }

  /** All of them, by rule and server (`recordKey`). What cannot be read is removed: it begins anew. */
  async all(): Promise<Map<string, KnownRecord>> {
    const all = await this.#redis.hgetall(this.#key);
    const known = new Map<string, KnownRecord>();
    const broken: string[] = [];
    for (const [field, stored] of Object.entries(all)) {
      const record = unpack(field, stored);
      if (record) known.set(field, { record, stored });
      else broken.push(field);
    }
    if (broken.length > 0) await this.#redis.hdel(this.#key, ...broken);
    return known;
  }

  /**
   * Changes those that nobody has changed since they were read. Gives for each what it has put there; undefined when it
   * was forgotten, or somebody was faster.
   */
  async replace(changes: readonly RecordChange[]): Promise<(KnownRecord | undefined)[]> {
    const results: (KnownRecord | undefined)[] = [];
    for (let start = 0; start < changes.length; start += atOnce) {
      const some = changes.slice(start, start + atOnce);
      const stored = some.map(({ record }) => (record ? pack(record) : ""));
      const args = some.flatMap(({ rule, server, known }, index) => [
        recordKey(rule, server),
        known?.stored ?? "",
        stored[index] ?? "",
      ]);
      const done = (await replaceScript.run(this.#redis, [this.#key], args)) as number[];
      for (const [index, { record }] of some.entries())
        results.push(record && done[index] === 1 ? { record, stored: stored[index] ?? "" } : undefined);
    }
    return results;
  }
}

/** Names of rules have no colon. */
export function recordKey(rule: string, server: string): string {
  return `${rule}:${server}`;
}

const letters = { pending: "p", firing: "f", over: "o" } as const;
const phases = { p: "pending", f: "firing", o: "over" } as const;

type Packed = [
  text: string,
  phase: keyof typeof phases,
  at: number,
  heardAt: number,
  since: number,
  missedSince: number,
  noDataSince: number,
  why: OverReason | "",
  look?: string,
  shownAt?: number,
  values?: number[],
];

/** There may be thousands: a list without names. */
function pack({ text, state, told }: RuleRecord): string {
  const { at, heardAt, since } = state;
  const missed = state.phase === "firing" ? [state.missedSince ?? 0, state.noDataSince ?? 0] : [0, 0];
  const why = state.phase === "over" ? state.why : "";
  const shown = told ? [told.look, told.at, told.values] : [];
  return JSON.stringify([text, letters[state.phase], at, heardAt, since, ...missed, why, ...shown]);
}

function unpack(field: string, stored: string): RuleRecord | undefined {
  const colon = field.indexOf(":");
  const [rule, server] = [field.slice(0, colon), field.slice(colon + 1)];
  try {
    const packed = JSON.parse(stored) as Packed;
    const [text, letter, at, heardAt, since, missedSince, noDataSince, why, look, shownAt, values] = packed;
    const phase = phases[letter];
    const seen = { at, heardAt, since };
    const told = look === undefined ? {} : { told: { look, at: shownAt ?? 0, values: values ?? [] } };
    const base = { rule, server, text, ...told };
    if (phase === "pending") return { ...base, state: { phase, ...seen } };
    if (phase === "over") return { ...base, state: { phase, ...seen, why: why === "" ? "cleared" : why } };
    if (phase !== "firing") return undefined;
    const missed = { ...(missedSince ? { missedSince } : {}), ...(noDataSince ? { noDataSince } : {}) };
    return { ...base, state: { phase, ...seen, ...missed } };
  } catch {
    return undefined;
  }
}
