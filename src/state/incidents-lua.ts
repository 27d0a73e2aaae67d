import { leave, mark, place, unplace } from "./placements-lua.ts";
import { storms } from "./storms-lua.ts";

/**
 * The scripts of `incidents.ts`; keys beside those of the cards:
 *
 * <root>card:incident:<id>      hash  rev, body, and: ver (grows with every change, rev only with those worth a look),
 *                                     target (where its route has led), storm (the storm whose card shows it), stormOwn
 *                                     (the storm in which it got a card of its own), counted (as what, in that storm)
 * <root>card:storm:<id>         hash  rev, body; there is none as long as all of its incidents have cards of their own
 * <root>incident-of             hash  identity -> id of its newest incident
 * <root>incident-claim:<what>   who is first to do it, for seconds
 * <root>incidents-open          zset  id -> severity * 1e14 + opened (ms)
 * <root>incidents-ended         zset  id -> ended (ms)
 * <root>incidents-hidden        set   ids of open ones that no card shows
 * <root>storm-new:<target>      zset  id -> when (ms): what began in a chat lately
 * <root>storm-own:<target>      zset  id -> when (ms): criticals that got a card of their own in a storm
 * <root>storms                  hash  target -> id of the storm that rages there
 * <root>storms-known            zset  storm id -> began (ms)
 * <root>storm-rings             zset  storm id -> when (ms) its card is to ring again
 * <root>storm:<id>              hash  target, startedAt, floodedAt (when there were too many the last time), lastAt, endedAt,
 *                                     late, total, first, last, rings, rangAt, heard (a member makes a sound), and counters:
 *                                     n:<severity>:<status>, n:acknowledged, n:silenced, n:ringing, n:sound:<route's>,
 *                                     n:own:firing
 * <root>storm:<id>:members      zset  id -> severity * 1e14 + 5e13 when it is over + when (ms)
 * <root>storm:<id>:labels       zset  "label=value" -> how many
 *
 * A target is "<chat>:<thread>".
 */

/** Which incident is known under an identity. KEYS incident-of; ARGV root, identity. Returns {id, ver, body} or {}. */
export const findLua = `
local id = redis.call('HGET', KEYS[1], ARGV[2])
if not id then return {} end
local card = redis.call('HMGET', ARGV[1] .. 'card:incident:' .. id, 'ver', 'body')
if not card[1] then return {} end
return { id, card[1], card[2] }`;

/**
 * Saves an incident and sees to it that it is shown: on its own card, or in a storm's.
 *
 * KEYS incident-of, incidents-open, incidents-ended, wake
 * ARGV 1 root, 2 id, 3 identity, 4 body, 5 urgency, 6 now, 7 expected ver (0: new), 8 expected id of the identity
 *   ('': none), 9 open score or '', 10 ended (ms) or '', 11 rank, 12 show ('1': must be on a card), 13 chat, 14 thread,
 *   15 fresh placement id, 16 sound (when its route is silent), 17 storm limit, 18 storm window, 19 fresh storm id, 20 kind
 *   before ("<severity>:<status>" or ''), 21 kind now, 22 title, 23 quiet ('1': nothing changed that is worth a look),
 *   24 audible ('1': its route makes a sound now), 25 rings ('1': with this change), 26... "label=value" that storms count by
 * Returns {ver, 'card' | storm id | 'hidden', storm that has just begun or ''}; ver 0: somebody was faster.
 */
export const saveLua = `${mark}${place}${unplace}${leave}${storms}
local root, id, now = ARGV[1], ARGV[2], tonumber(ARGV[6])
local card = root .. 'card:incident:' .. id
local ver = tonumber(redis.call('HGET', card, 'ver') or '0')
local pointer = redis.call('HGET', KEYS[1], ARGV[3]) or ''
if pointer ~= '' and redis.call('EXISTS', root .. 'card:incident:' .. pointer) == 0 then pointer = '' end
if ver ~= tonumber(ARGV[7]) or pointer ~= ARGV[8] then
  -- One that nothing leads to any more would be in the way for ever.
  if pointer == '' and ver > 0 then redis.call('HSET', KEYS[1], ARGV[3], id) end
  return { 0, '', '' }
end
local urgency = tonumber(ARGV[5])
redis.call('HSET', KEYS[1], ARGV[3], id)
ver = redis.call('HINCRBY', card, 'ver', 1)
redis.call('HSET', card, 'body', ARGV[4])
if ARGV[9] ~= '' then redis.call('ZADD', KEYS[2], ARGV[9], id) else redis.call('ZREM', KEYS[2], id) end
if ARGV[10] ~= '' then redis.call('ZADD', KEYS[3], ARGV[10], id) else redis.call('ZREM', KEYS[3], id) end
local placements = root .. 'placements:incident:' .. id
local storm = redis.call('HGET', card, 'storm') or ''
local began = ''
-- A new revision would have every card rendered again for nothing.
if ARGV[23] == '1' and ver > 1 then return { ver, storm ~= '' and storm or 'card', '' } end
redis.call('HINCRBY', card, 'rev', 1)
local target, window, limit = ARGV[13] .. ':' .. ARGV[14], tonumber(ARGV[18]), tonumber(ARGV[17])
local show, isFiring, audible = ARGV[12] == '1', ARGV[9] ~= '', ARGV[24] == '1'
local shown = redis.call('SCARD', placements) > 0
-- Its route leads elsewhere now: not when only the chat has got another id.
local leaves = false
if show and (shown or storm ~= '') then
  local chat, thread = string.match(redis.call('HGET', card, 'target') or target, '^([^:]*):(.*)$')
  local moved = redis.call('HGET', root .. 'migrated', chat)
  while moved do
    chat = moved
    moved = redis.call('HGET', root .. 'migrated', chat)
  end
  leaves = chat .. ':' .. thread ~= target
  -- Small as the change may be, there it is new.
  if leaves then urgency = math.min(urgency, 2) end
end
if storm ~= '' then
  local counters = countersOf(ARGV[4], ARGV[16])
  count(root, storm, card, counters)
  if ARGV[20] ~= ARGV[21] then
    local members = root .. 'storm:' .. storm .. ':members'
    local score = redis.call('ZSCORE', members, id)
    if score then redis.call('ZADD', members, memberScore(ARGV[11], counters, tonumber(score) % 5e13), id) end
  end
  local over = redis.call('HEXISTS', root .. 'storm:' .. storm, 'endedAt') == 1
  local fired = string.find(ARGV[20], ':firing', 1, true)
  -- It begins again after its storm, or becomes critical: on a card of its own from now on.
  local again = over and not fired
  local raised = ARGV[11] == '0' and fired and string.sub(ARGV[20], 1, 9) ~= 'critical:'
  if raised and not over then
    local of = redis.call('HGET', root .. 'storm:' .. storm, 'target') or ''
    raised = hasRoom(root .. 'storm-own:' .. of, window, limit, now)
  end
  if show and (again or raised or leaves) then
    own(root, storm, id, isFiring)
    bumpStorm(root, storm, 3, now)
    storm = ''
  else
    bumpStorm(root, storm, 2, now)
    if ARGV[25] == '1' and audible then ringLater(root, storm, now) end
  end
else
  local from = redis.call('HGET', card, 'stormOwn')
  if from and count(root, from, card, isFiring and 'own:firing' or '') then bumpStorm(root, from, 4, now) end
end
if show and storm == '' and (leaves or not shown) then
  local fresh = root .. 'storm-new:' .. target
  redis.call('ZREMRANGEBYSCORE', fresh, '-inf', now - window)
  redis.call('ZADD', fresh, now, id)
  redis.call('PEXPIRE', fresh, math.max(window * 10, 600000))
  local raging = redis.call('HGET', root .. 'storms', target)
  local flooded = redis.call('ZCARD', fresh) > limit
  if not raging and flooded then
    raging = ARGV[19]
    began = raging
    redis.call('HSET', root .. 'storms', target, raging)
    redis.call('ZADD', root .. 'storms-known', now, raging)
    redis.call('HSET', root .. 'storm:' .. raging, 'target', target, 'startedAt', now, 'total', 0)
    -- Those that have made it a storm are a part of it.
    for _, one in ipairs(redis.call('ZRANGE', fresh, 0, -1)) do
      local its = root .. 'card:incident:' .. one
      if one ~= id and redis.call('EXISTS', its) == 1 and redis.call('HEXISTS', its, 'storm') == 0 then
        own(root, raging, one, redis.call('ZSCORE', KEYS[2], one))
      end
    end
  end
  if raging and flooded then redis.call('HSET', root .. 'storm:' .. raging, 'floodedAt', now) end
  local alone = true
  if raging then
    local mine = root .. 'storm-own:' .. target
    alone = ARGV[11] == '0' and hasRoom(mine, window, limit, now)
    if alone then
      redis.call('ZADD', mine, now, id)
      redis.call('PEXPIRE', mine, window * 10)
    end
  end
  if shown then leave(root, placements, alone and ARGV[15] or raging, now) end
  redis.call('HSET', card, 'target', target)
  if alone then
    place(root, 'incident/' .. id, ARGV[15], ARGV[13], ARGV[14], '0', urgency, now)
    if raging then own(root, raging, id, isFiring) end
  else
    storm = raging
    join(root, storm, id, ARGV[11], countersOf(ARGV[4], ARGV[16]), ARGV[22], now, 26)
    local first = redis.call('EXISTS', root .. 'card:storm:' .. storm) == 0
    if first then
      openCard(root, storm, ARGV[13], ARGV[14], now)
      redis.call('HSET', root .. 'storm:' .. storm, 'rangAt', now)
    end
    -- Its card was posted without a sound when all before had to be silent.
    if audible and redis.call('HSETNX', root .. 'storm:' .. storm, 'heard', '1') == 1 and not first then
      ringLater(root, storm, now)
    end
  end
  if raging then bumpStorm(root, raging, alone and 3 or 2, now) end
end
for _, pid in ipairs(redis.call('SMEMBERS', placements)) do mark(root, pid, urgency, now) end
redis.call('PUBLISH', KEYS[4], 'incident/' .. id)
local where = storm
if where == '' then where = redis.call('SCARD', placements) > 0 and 'card' or 'hidden' end
local hidden = root .. 'incidents-hidden'
if where == 'hidden' and ARGV[9] ~= '' then redis.call('SADD', hidden, id) else redis.call('SREM', hidden, id) end
return { ver, where, began }`;

/**
 * Forgets an incident that has ended, with its card. ARGV root, id, identity, expected ver. Returns 1; 0, changing
 * nothing, when it has changed meanwhile.
 */
export const forgetLua = `${unplace}
local root, id = ARGV[1], ARGV[2]
local card = root .. 'card:incident:' .. id
local at = redis.call('HMGET', card, 'ver', 'storm')
if at[1] ~= ARGV[4] or redis.call('ZSCORE', root .. 'incidents-open', id) then return 0 end
if at[2] then redis.call('ZREM', root .. 'storm:' .. at[2] .. ':members', id) end
if redis.call('HGET', root .. 'incident-of', ARGV[3]) == id then redis.call('HDEL', root .. 'incident-of', ARGV[3]) end
redis.call('ZREM', root .. 'incidents-ended', id)
unplace(root, root .. 'placements:incident:' .. id)
redis.call('DEL', card)
return 1`;
