import { mark, place } from "./cards-lua.ts";

/**
 * The scripts of `incidents.ts`; keys beside those of the cards:
 *
 * <root>card:incident:<id>      hash  rev, body, and: ver (grows with every change, rev only with those worth a look),
 *                                     storm (the storm whose card shows it)
 * <root>card:storm:<id>         hash  rev, body
 * <root>incident-of             hash  identity -> id of its newest incident
 * <root>incident-claim:<what>   who is first to do it, for seconds
 * <root>incidents-open          zset  id -> severity * 1e14 + opened (ms)
 * <root>incidents-ended         zset  id -> ended (ms)
 * <root>incidents-hidden        set   ids of open ones that no card shows
 * <root>storm-new:<target>      zset  id -> when (ms): what began in a chat lately
 * <root>storm-own:<target>      zset  id -> when (ms): criticals that got a card of their own in a storm
 * <root>storms                  hash  target -> id of the storm that rages there
 * <root>storms-known            zset  storm id -> began (ms)
 * <root>storm:<id>              hash  target, startedAt, lastAt, endedAt, total, n:<severity>:<status>, first, last
 * <root>storm:<id>:members      zset  id -> severity * 1e14 + 5e13 when it is over + when (ms)
 * <root>storm:<id>:labels       zset  "label=value" -> how many
 *
 * A target is "<chat>:<thread>".
 */
const storms = `
local function bumpStorm(root, storm, urgency, now)
  local card = root .. 'card:storm:' .. storm
  if redis.call('EXISTS', card) == 0 then return end
  redis.call('HINCRBY', card, 'rev', 1)
  for _, pid in ipairs(redis.call('SMEMBERS', root .. 'placements:storm:' .. storm)) do mark(root, pid, urgency, now) end
end

-- Counts what a member is now; kind: "<severity>:<status>", '' for nothing.
local function count(root, storm, was, is)
  if was == is then return end
  if was ~= '' then redis.call('HINCRBY', root .. 'storm:' .. storm, 'n:' .. was, -1) end
  if is ~= '' then redis.call('HINCRBY', root .. 'storm:' .. storm, 'n:' .. is, 1) end
end

-- Where a member stands among the others: by severity, of these those that fire first, of these the oldest.
local function memberScore(rank, kind, at)
  return tonumber(rank) * 1e14 + (string.find(kind, ':firing', 1, true) and 0 or 5e13) + at
end

-- What an incident is now; nil when it is unknown.
local function kindOf(root, id)
  local body = redis.call('HGET', root .. 'card:incident:' .. id, 'body')
  if not body then return nil end
  local incident = cjson.decode(body)
  return incident.severity .. ':' .. incident.status
end

-- Whether one more critical may have a card of its own in a storm.
local function hasRoom(mine, window, limit, now)
  redis.call('ZREMRANGEBYSCORE', mine, '-inf', now - window)
  return redis.call('ZCARD', mine) < limit
end
`;

/** Takes all placements of a card from the chats' books. */
const unplace = `
local function unplace(root, placements)
  for _, pid in ipairs(redis.call('SMEMBERS', placements)) do
    local chat = redis.call('HGET', root .. 'placement:' .. pid, 'chat')
    redis.call('DEL', root .. 'placement:' .. pid, root .. 'buttons:' .. pid)
    if chat then
      redis.call('SREM', root .. 'chat:' .. chat, pid)
      redis.call('ZREM', root .. 'dirty:' .. chat, pid)
    end
  end
  redis.call('DEL', placements)
end
`;

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
 *   15 fresh placement id, 16 silent, 17 storm limit, 18 storm window, 19 fresh storm id, 20 kind before
 *   ("<severity>:<status>" or ''), 21 kind now, 22 title, 23 quiet ('1': nothing changed that is worth a look),
 *   24... "label=value" that storms count by
 * Returns {ver, 'card' | storm id | 'hidden', storm that has just begun or ''}; ver 0: somebody was faster.
 */
export const saveLua = `${mark}${place}${storms}
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
local shown = redis.call('SCARD', placements) > 0
if storm ~= '' then
  count(root, storm, ARGV[20], ARGV[21])
  if ARGV[20] ~= ARGV[21] then
    local members = root .. 'storm:' .. storm .. ':members'
    local score = redis.call('ZSCORE', members, id)
    if score then redis.call('ZADD', members, memberScore(ARGV[11], ARGV[21], tonumber(score) % 5e13), id) end
  end
  local over = redis.call('HEXISTS', root .. 'storm:' .. storm, 'endedAt') == 1
  local fired = string.find(ARGV[20], ':firing', 1, true)
  -- It begins again after its storm, or becomes critical: on a card of its own from now on.
  local again = over and not fired
  local raised = ARGV[11] == '0' and fired and string.sub(ARGV[20], 1, 9) ~= 'critical:'
  if raised and not over then
    local target = redis.call('HGET', root .. 'storm:' .. storm, 'target') or ''
    raised = hasRoom(root .. 'storm-own:' .. target, tonumber(ARGV[18]), tonumber(ARGV[17]), now)
  end
  if ARGV[12] == '1' and (again or raised) then
    count(root, storm, ARGV[21], '')
    redis.call('ZREM', root .. 'storm:' .. storm .. ':members', id)
    redis.call('HDEL', card, 'storm')
    bumpStorm(root, storm, 3, now)
    storm = ''
  else
    bumpStorm(root, storm, 2, now)
  end
end
if storm == '' and not shown and ARGV[12] == '1' and ARGV[13] ~= '' then
  local target = ARGV[13] .. ':' .. ARGV[14]
  local fresh = root .. 'storm-new:' .. target
  local window = tonumber(ARGV[18])
  redis.call('ZREMRANGEBYSCORE', fresh, '-inf', now - window)
  redis.call('ZADD', fresh, now, id)
  redis.call('PEXPIRE', fresh, math.max(window * 10, 600000))
  local raging = redis.call('HGET', root .. 'storms', target)
  if not raging and redis.call('ZCARD', fresh) > tonumber(ARGV[17]) then
    raging = ARGV[19]
    began = raging
    redis.call('HSET', root .. 'storms', target, raging)
    redis.call('ZADD', root .. 'storms-known', now, raging)
    redis.call('HSET', root .. 'storm:' .. raging, 'target', target, 'startedAt', now, 'total', 0)
    redis.call('HSET', root .. 'card:storm:' .. raging, 'rev', 1, 'body', cjson.encode({ id = raging }))
    place(root, 'storm/' .. raging, raging, ARGV[13], ARGV[14], '0', 0, now)
  end
  local own = true
  if raging then
    local mine = root .. 'storm-own:' .. target
    own = ARGV[11] == '0' and hasRoom(mine, window, tonumber(ARGV[17]), now)
    if own then
      redis.call('ZADD', mine, now, id)
      redis.call('PEXPIRE', mine, window * 10)
    end
  end
  if own then
    place(root, 'incident/' .. id, ARGV[15], ARGV[13], ARGV[14], ARGV[16], urgency, now)
  else
    storm = raging
    local key = root .. 'storm:' .. storm
    redis.call('HSET', card, 'storm', storm)
    redis.call('ZADD', key .. ':members', memberScore(ARGV[11], ARGV[21], now), id)
    redis.call('HINCRBY', key, 'total', 1)
    redis.call('HSETNX', key, 'first', ARGV[22])
    redis.call('HSET', key, 'last', ARGV[22], 'lastAt', now)
    count(root, storm, '', ARGV[21])
    for i = 24, #ARGV do redis.call('ZINCRBY', key .. ':labels', 1, ARGV[i]) end
    bumpStorm(root, storm, 2, now)
  end
end
for _, pid in ipairs(redis.call('SMEMBERS', placements)) do mark(root, pid, urgency, now) end
redis.call('PUBLISH', KEYS[4], 'incident/' .. id)
local where = storm
if where == '' then where = redis.call('SCARD', placements) > 0 and 'card' or 'hidden' end
local hidden = root .. 'incidents-hidden'
if where == 'hidden' and ARGV[9] ~= '' then redis.call('SADD', hidden, id) else redis.call('SREM', hidden, id) end
return { ver, where, began }`;

/**
 * Ends a storm in which nothing has begun for a while. KEYS wake; ARGV root, target, storm, now, calm (ms).
 * Returns 1 when it has ended now.
 */
export const endStormLua = `${mark}${storms}
local root, target, storm, now = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
if redis.call('HGET', root .. 'storms', target) ~= storm then return 0 end
local fresh = redis.call('ZREVRANGE', root .. 'storm-new:' .. target, 0, 0, 'WITHSCORES')
local at = redis.call('HMGET', root .. 'storm:' .. storm, 'startedAt', 'lastAt')
local last = math.max(tonumber(fresh[2] or '0'), tonumber(at[1] or '0'), tonumber(at[2] or '0'))
-- Others are a moment ahead of whoever looks; much later only a clock that was set back can be.
if math.abs(now - last) < tonumber(ARGV[5]) then return 0 end
redis.call('HDEL', root .. 'storms', target)
redis.call('HSET', root .. 'storm:' .. storm, 'endedAt', now)
bumpStorm(root, storm, 1, now)
redis.call('PUBLISH', KEYS[1], 'storm/' .. storm)
return 1`;

/**
 * Gives a storm's member that still fires a card of its own. KEYS wake; ARGV root, storm, id, chat, thread, pid, silent,
 * urgency, now. Returns 1 when it was one.
 */
export const releaseLua = `${mark}${place}${storms}
local root, storm, id, now = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[9])
local card = root .. 'card:incident:' .. id
local kind = kindOf(root, id)
if redis.call('HGET', card, 'storm') ~= storm or not kind or not string.find(kind, ':firing', 1, true) then return 0 end
redis.call('HDEL', card, 'storm')
redis.call('ZREM', root .. 'storm:' .. storm .. ':members', id)
count(root, storm, kind, '')
place(root, 'incident/' .. id, ARGV[6], ARGV[4], ARGV[5], ARGV[7], tonumber(ARGV[8]), now)
bumpStorm(root, storm, 3, now)
redis.call('PUBLISH', KEYS[1], 'incident/' .. id)
return 1`;

/**
 * Puts an incident whose card nobody has seen yet into a storm's card. KEYS wake; ARGV root, storm, id, rank, now,
 * title, 7... "label=value". Returns 1 when it was moved; 0 when its card is in the chat, or on its way there.
 */
export const foldLua = `${mark}${storms}${unplace}
local root, storm, id, now = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[5])
local card = root .. 'card:incident:' .. id
local kind = kindOf(root, id)
if not kind or redis.call('HEXISTS', card, 'storm') == 1 then return 0 end
local placements = root .. 'placements:incident:' .. id
for _, pid in ipairs(redis.call('SMEMBERS', placements)) do
  local at = redis.call('HMGET', root .. 'placement:' .. pid, 'messageId', 'claimUntil')
  if at[1] or tonumber(at[2] or '0') > now then return 0 end
end
unplace(root, placements)
local key = root .. 'storm:' .. storm
redis.call('HSET', card, 'storm', storm)
redis.call('ZADD', key .. ':members', memberScore(ARGV[4], kind, now), id)
redis.call('HINCRBY', key, 'total', 1)
redis.call('HSETNX', key, 'first', ARGV[6])
redis.call('HSET', key, 'last', ARGV[6], 'lastAt', now)
count(root, storm, '', kind)
for i = 7, #ARGV do redis.call('ZINCRBY', key .. ':labels', 1, ARGV[i]) end
bumpStorm(root, storm, 2, now)
redis.call('PUBLISH', KEYS[1], 'storm/' .. storm)
return 1`;

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

/**
 * A storm that is over from the beginning, for what could not be shown in time. KEYS wake; ARGV root, target, storm,
 * started (ms), now, chat, thread.
 */
export const openStormLua = `${mark}${place}
local root, storm = ARGV[1], ARGV[3]
if redis.call('EXISTS', root .. 'storm:' .. storm) == 1 then return 0 end
redis.call('ZADD', root .. 'storms-known', ARGV[4], storm)
redis.call('HSET', root .. 'storm:' .. storm, 'target', ARGV[2], 'startedAt', ARGV[4], 'endedAt', ARGV[5], 'total', 0, 'late', 1)
redis.call('HSET', root .. 'card:storm:' .. storm, 'rev', 1, 'body', cjson.encode({ id = storm }))
place(root, 'storm/' .. storm, storm, ARGV[6], ARGV[7], '0', 0, tonumber(ARGV[5]))
redis.call('PUBLISH', KEYS[1], 'storm/' .. storm)
return 1`;
