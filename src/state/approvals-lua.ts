import { auditLua } from "./audit.ts";
import { mark, place, unplace } from "./placements-lua.ts";

/**
 * The scripts of `approvals.ts`; keys beside those of the cards and of the audit log:
 *
 * <root>card:approval:<id>       hash  rev, body
 * <root>approvals                zset  id -> requested (ms)
 * <root>approvals-due            zset  id -> when it ends by itself (ms)
 * <root>approvals-work           set   ids for which a worker has something to do
 * <root>approval-of              hash  "<action> <target>" -> id of the one that is not over
 * <root>approval-refused:<id>    set   "<user> <what> <why>": refusals that are on record
 * <root>approval-order-refused:<digest>   of an order that was not taken: the same is on record once an hour
 * <root>approval-prompt:<chat>:<message>  "<about> <id>": what a reply to this message answers
 */

/**
 * Saves an approval with its place, its entries in the audit log and in the indexes: one step, for one of those who
 * try it at once.
 *
 * KEYS wake; ARGV 1 root, 2 id, 3 body, 4 urgency, 5 now, 6 expected rev (0: must not exist), 7 ends by itself (ms) or
 *   '', 8 '1': a worker has something to do, 9 '1': over, 10 "<action> <target>", 11 chat or '', 12 thread, 13 fresh
 *   placement id, 14... audit entries
 * Returns {rev}; {0}: somebody was faster; {-1, id}: another one of the same action and target is not over.
 */
export const saveLua = `${mark}${place}${auditLua}
local root, id, now = ARGV[1], ARGV[2], tonumber(ARGV[5])
local card = root .. 'card:approval:' .. id
local rev = tonumber(redis.call('HGET', card, 'rev') or '0')
if rev ~= tonumber(ARGV[6]) then return { 0 } end
local of = root .. 'approval-of'
if rev == 0 then
  local other = redis.call('HGET', of, ARGV[10])
  if other and redis.call('EXISTS', root .. 'card:approval:' .. other) == 1 then return { -1, other } end
  redis.call('HSET', of, ARGV[10], id)
  redis.call('ZADD', root .. 'approvals', now, id)
elseif ARGV[9] == '1' and redis.call('HGET', of, ARGV[10]) == id then
  redis.call('HDEL', of, ARGV[10])
end
redis.call('HSET', card, 'body', ARGV[3], 'rev', rev + 1)
if ARGV[7] ~= '' then redis.call('ZADD', root .. 'approvals-due', ARGV[7], id)
else redis.call('ZREM', root .. 'approvals-due', id) end
redis.call(ARGV[8] == '1' and 'SADD' or 'SREM', root .. 'approvals-work', id)
for index = 14, #ARGV do audit(root, ARGV[index]) end
local urgency = tonumber(ARGV[4])
if ARGV[11] ~= '' then place(root, 'approval/' .. id, ARGV[13], ARGV[11], ARGV[12], '0', urgency, now) end
for _, pid in ipairs(redis.call('SMEMBERS', root .. 'placements:approval:' .. id)) do mark(root, pid, urgency, now) end
redis.call('PUBLISH', KEYS[1], 'approval/' .. id)
return { rev + 1 }`;

/** Puts a refusal on record, once. ARGV root, id, "<user> <what> <why>", entry. Returns 1 for the first. */
export const refuseLua = `${auditLua}
if redis.call('SADD', ARGV[1] .. 'approval-refused:' .. ARGV[2], ARGV[3]) == 0 then return 0 end
audit(ARGV[1], ARGV[4])
return 1`;

/** Puts on record that an order was not taken. KEYS the mark; ARGV root, for how many milliseconds, entry. Returns 1 for the first. */
export const refuseOrderLua = `${auditLua}
if not redis.call('SET', KEYS[1], '', 'NX', 'PX', ARGV[2]) then return 0 end
audit(ARGV[1], ARGV[3])
return 1`;

/** Forgets an approval with its card; what the audit log says of it stays. ARGV root, id. */
export const forgetLua = `${unplace}
local root, id = ARGV[1], ARGV[2]
unplace(root, root .. 'placements:approval:' .. id)
redis.call('ZREM', root .. 'approvals', id)
return redis.call('DEL', root .. 'card:approval:' .. id, root .. 'approval-refused:' .. id)`;
