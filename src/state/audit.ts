import {
  type AuditEntry,
  type AuditHead,
  type AuditRecord,
  canonical,
  type DatedHead,
  type StoredAuditEntry,
} from "../core/audit.ts";
import { redact } from "../lib/redaction.ts";
import { type Keys, type Redis, Script } from "./redis.ts";
import { sha256Lua } from "./sha256-lua.ts";

/**
 * Appends entries to the audit log, for scripts that change what they are about in the same step: number, hash before
 * it and own hash are found there, so that whoever writes at the same time cannot come in between. Keys:
 *
 * <root>audit        stream  <seq>-0  entry (canonical JSON), prev, hash
 * <root>audit-head   hash    seq, hash, chain (hash of the first entry): of the newest
 *
 * `audit(root, json)`. Whatever entries somebody has taken out or changed, or made of the head, it appends: the change is
 * not refused for it, and what was done shows when the chain is verified.
 */
export const auditLua = `${sha256Lua}
local function audit(root, json)
  local key, headKey = root .. 'audit', root .. 'audit-head'
  local seq, prev = unpack(redis.call('HMGET', headKey, 'seq', 'hash'))
  seq = tonumber(seq or '0') or 0
  if redis.call('EXISTS', key) == 1 then
    local info = redis.call('XINFO', 'STREAM', key)
    for index = 1, #info, 2 do
      if info[index] == 'last-generated-id' then seq = math.max(seq, tonumber(string.match(info[index + 1], '^%d+'))) end
    end
    if not prev then
      local last = redis.call('XREVRANGE', key, '+', '-', 'COUNT', 1)[1]
      local fields = last and last[2] or {}
      for index = 1, #fields, 2 do if fields[index] == 'hash' then prev = fields[index + 1] end end
    end
  end
  prev = prev or string.rep('0', 64)
  local number = string.format('%.0f', seq + 1)
  local hash = sha256(number .. '\\n' .. prev .. '\\n' .. json)
  redis.call('XADD', key, number .. '-0', 'entry', json, 'prev', prev, 'hash', hash)
  redis.call('HSET', headKey, 'seq', number, 'hash', hash)
  if prev == string.rep('0', 64) then redis.call('HSET', headKey, 'chain', hash) end
end
`;

const appendScript = new Script(`${auditLua}
audit(ARGV[1], ARGV[2])
return 1`);

/** <root>audit-notes  set  what was taken from elsewhere, each once */
const appendOnceScript = new Script(`${auditLua}
if redis.call('SADD', ARGV[1] .. 'audit-notes', ARGV[3]) == 0 then return 0 end
audit(ARGV[1], ARGV[2])
return 1`);

/** The entry as it is stored and hashed; registered secrets never get into it. */
export function entryText(entry: AuditEntry): string {
  const clean: unknown = JSON.parse(JSON.stringify(entry), (_key, value: unknown) =>
    typeof value === "string" ? redact(value) : value,
  );
  return canonical(clean);
}

/** Which entries a page may show, and where it begins. */
export interface AuditPageQuery {
  /** Only those with a lower number. */
  readonly before?: number;
  /** Those right above this number. */
  readonly after?: number;
  readonly limit: number;
  /** So many are looked at. */
  readonly most: number;
  readonly matches?: (entry: StoredAuditEntry) => boolean;
}

/** Entries, newest first. */
export interface AuditPage {
  readonly entries: readonly StoredAuditEntry[];
  /** The end of the log in that direction was not reached; the number to go on from. */
  readonly next?: number;
}

/** The audit log: what was asked for, who agreed or refused, what was carried out. It is only ever appended to. */
export class Audit {
  readonly #redis: Redis;
  readonly #keys: Keys;
  readonly #key: string;

  constructor(redis: Redis, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
    this.#key = keys.of("audit");
  }

  /** Of something that changes nothing in Redis; a change writes its entry itself, in the same step. */
  async append(entry: AuditEntry): Promise<void> {
    await appendScript.run(this.#redis, [], [this.#keys.root, entryText(entry)]);
  }

  /** Of something that was done elsewhere: once for each `token`, whoever else brings it. False: it is there already. */
  async appendOnce(token: string, entry: AuditEntry): Promise<boolean> {
    return (await appendOnceScript.run(this.#redis, [], [this.#keys.root, entryText(entry), token])) === 1;
  }

  /** Of these tokens those of which there is no entry yet. */
  async unknownOf(tokens: readonly string[]): Promise<string[]> {
    if (tokens.length === 0) return [];
    const known = await this.#redis.smismember(this.#keys.of("audit-notes"), ...tokens);
    return tokens.filter((_token, index) => known[index] !== 1);
  }

  /** The newest entries first; `before`: only those with a lower number. */
  async newest(limit: number, before?: number): Promise<StoredAuditEntry[]> {
    const from = before === undefined ? "+" : `(${before}-0`;
    return (await this.#redis.xrevrange(this.#key, from, "-", "COUNT", limit)).map((found) => entryOf(recordOf(found)));
  }

  async read(seq: number): Promise<{ readonly entry: StoredAuditEntry; readonly record: AuditRecord } | undefined> {
    const [found] = await this.#redis.xrange(this.#key, `${seq}-0`, `${seq}-0`);
    if (!found) return undefined;
    const record = recordOf(found);
    return { entry: entryOf(record), record };
  }

  /** In their order, in portions: the whole log, however long it is, or the numbers from one to another. */
  async *records(from = 1, to = Number.POSITIVE_INFINITY): AsyncGenerator<AuditRecord> {
    const end = Number.isFinite(to) ? `${to}-0` : "+";
    for (let next = `${from}-0`; ; ) {
      const some = await this.#redis.xrange(this.#key, next, end, "COUNT", portion);
      yield* some.map(recordOf);
      const last = some.at(-1)?.[0];
      if (last === undefined || some.length < portion) return;
      next = `(${last}`;
    }
  }

  /** A page of those that match; how far was looked. Both directions give the newest first. */
  async page({ before, after, limit, most, matches = () => true }: AuditPageQuery): Promise<AuditPage> {
    const found: StoredAuditEntry[] = [];
    const isUp = after !== undefined;
    let last = after ?? before;
    for (let looked = 0; looked < most; ) {
      const count = Math.min(portion, most - looked);
      const some = await this.#some(isUp, last, count);
      for (const entry of some) {
        if (matches(entry)) {
          if (found.length === limit) return { entries: inOrder(found), next: last ?? entry.seq };
          found.push(entry);
        }
        last = entry.seq;
      }
      looked += some.length;
      if (some.length < count) return { entries: inOrder(found) };
    }
    return { entries: inOrder(found), ...(last === undefined ? {} : { next: last }) };
  }

  /** Entries right above a number, oldest first, or right below it, newest first. */
  async #some(isUp: boolean, from: number | undefined, count: number): Promise<StoredAuditEntry[]> {
    if (!isUp) return await this.newest(count, from);
    const some = await this.#redis.xrange(this.#key, `(${from ?? 0}-0`, "+", "COUNT", count);
    return some.map((one) => entryOf(recordOf(one)));
  }

  /** What is on record of one thing, oldest first. */
  async of(about: string, id: string): Promise<StoredAuditEntry[]> {
    const found: StoredAuditEntry[] = [];
    for await (const record of this.records()) {
      const entry = entryOf(record);
      if (entry.about === about && entry.id === id) found.push(entry);
    }
    return found;
  }

  /** Of the newest entry; undefined: there is none with a hash. */
  async head(): Promise<AuditHead | undefined> {
    const { seq, hash, chain } = await this.#redis.hgetall(this.#keys.of("audit-head"));
    if (seq === undefined || hash === undefined) return undefined;
    return { seq: Number(seq), hash, chain: chain ?? (await this.#firstHash()) };
  }

  /** Remembers a head as that of its day, unless there is one. */
  async keepHead(head: DatedHead): Promise<boolean> {
    return (await this.#redis.hsetnx(this.#keys.of("audit-heads"), head.date, canonical(head))) === 1;
  }

  async hasHead(date: string): Promise<boolean> {
    return (await this.#redis.hexists(this.#keys.of("audit-heads"), date)) === 1;
  }

  /** The heads of the days, oldest first. */
  async heads(): Promise<DatedHead[]> {
    const all = Object.values(await this.#redis.hgetall(this.#keys.of("audit-heads")));
    return all.map((json) => JSON.parse(json) as DatedHead).toSorted((a, b) => (a.date < b.date ? -1 : 1));
  }

  /** The day whose head was put into each storage last, by `place`. */
  async storedHeads(): Promise<ReadonlyMap<string, string>> {
    return new Map(Object.entries(await this.#redis.hgetall(this.#keys.of("audit-heads-stored"))));
  }

  async headStored(place: string, date: string): Promise<void> {
    await this.#redis.hset(this.#keys.of("audit-heads-stored"), place, date);
  }

  async #firstHash(): Promise<string> {
    for await (const { hash } of this.records()) if (hash !== undefined) return hash;
    return "";
  }
}

const portion = 500;

function inOrder(entries: StoredAuditEntry[]): StoredAuditEntry[] {
  return entries.toSorted((a, b) => b.seq - a.seq);
}

function recordOf([id, fields]: [string, string[]]): AuditRecord {
  const named: Record<string, string> = {};
  for (let index = 0; index + 1 < fields.length; index += 2) named[fields[index] ?? ""] = fields[index + 1] ?? "";
  const { entry = "", prev, hash } = named;
  const [seq, part] = id.split("-");
  return {
    // An id that is not ours is no whole number.
    seq: part === "0" ? Number(seq) : Number(`${seq}.5`),
    text: entry,
    ...(prev === undefined ? {} : { prev }),
    ...(hash === undefined ? {} : { hash }),
  };
}

/** What somebody has made unreadable is still a line of the log. */
function entryOf({ seq, text }: AuditRecord): StoredAuditEntry {
  try {
    return { ...(JSON.parse(text) as AuditEntry), seq };
  } catch {
    return { seq, at: new Date(0).toISOString(), about: "approval", what: "unreadable" };
  }
}
