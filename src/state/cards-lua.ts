import { auditLua } from "./audit.ts";
import { mark, place } from "./placements-lua.ts";

/**
 * The scripts of `cards.ts`; those that put it into chats are in `deliveries-lua.ts`. Keys are built inside (ARGV[1] is the
 * root), so they need a single Redis, not a cluster.
 *
 * <root>card:<kind>:<id>        hash  rev, body (JSON)
 * <root>placements:<kind>:<id>  set   placement ids
 * <root>placement:<pid>         hash  card, chat, thread, silent, messageId, hash, documentHash, raised, replied, postedAt, stray, moved, claim, claimUntil, again, sentAt, notBefore, failures
 * <root>dirty:<chat>            zset  placement id -> urgency * 1e14 + since (ms)
 * <root>dirty-chats             set   chats with dirty placements
 * <root>chat:<chat>             set   placement ids of a chat
 * <root>budget:<chat>           zset  one entry per send or edit -> when (ms)
 * <root>blocked                 hash  chat -> until (ms), from Telegram's 429
 * <root>disabled                hash  chat -> reason
 * <root>migrated                hash  old chat id -> new chat id
 * <root>paused                  since when (ms) nothing is delivered, as Telegram is away
 * <root>buttons:<pid>           hash  action -> secret
 */

/** Has a card rendered and compared again. KEYS card, placements, wake; ARGV root, urgency, now, ref. */
export const touchLua = `${mark}
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
local rev = redis.call('HINCRBY', KEYS[1], 'rev', 1)
for _, pid in ipairs(redis.call('SMEMBERS', KEYS[2])) do mark(ARGV[1], pid, tonumber(ARGV[2]), tonumber(ARGV[3])) end
redis.call('PUBLISH', KEYS[3], ARGV[4])
return rev`;

/** KEYS card, placements, wake; ARGV root, body, urgency, now, expected revision (0: must not exist), ref. Returns the new revision, or 0. */
export const saveLua = saveWith("");

/** As `saveLua`, with entries of the audit log behind the other arguments. */
export const auditedSaveLua = `${auditLua}${saveWith("for index = 7, #ARGV do audit(ARGV[1], ARGV[index]) end")}`;

function saveWith(more: string): string {
  return `${mark}
local rev = tonumber(redis.call('HGET', KEYS[1], 'rev') or '0')
if rev ~= tonumber(ARGV[5]) then return 0 end
redis.call('HSET', KEYS[1], 'body', ARGV[2], 'rev', rev + 1)
for _, pid in ipairs(redis.call('SMEMBERS', KEYS[2])) do mark(ARGV[1], pid, tonumber(ARGV[3]), tonumber(ARGV[4])) end
redis.call('PUBLISH', KEYS[3], ARGV[6])
${more}
return rev + 1`;
}

/** KEYS card, placements, wake; ARGV root, ref, new id, chat, thread, silent, urgency, now, message id. Returns the placement's id. */
export const addLua = `${mark}${place}
local root = ARGV[1]
local known = redis.call('SCARD', KEYS[2])
local pid = place(root, ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6], tonumber(ARGV[7]), tonumber(ARGV[8]))
if redis.call('SCARD', KEYS[2]) == known then return pid end
if ARGV[9] ~= '' then redis.call('HSET', root .. 'placement:' .. pid, 'messageId', ARGV[9]) end
redis.call('PUBLISH', KEYS[3], ARGV[2])
return pid`;
