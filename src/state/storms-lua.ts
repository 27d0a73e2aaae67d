import { mark, place, unplace } from "./placements-lua.ts";

/** Parts of the scripts that have to do with storms; the keys are listed in `incidents-lua.ts`. */
export const storms = `
local function bumpStorm(root, storm, urgency, now)
  local card = root .. 'card:storm:' .. storm
  if redis.call('EXISTS', card) == 0 then return end
  redis.call('HINCRBY', card, 'rev', 1)
  for _, pid in ipairs(redis.call('SMEMBERS', root .. 'placements:storm:' .. storm)) do mark(root, pid, urgency, now) end
end

-- What an incident counts as in its storm, divided by spaces; sound: when its route is silent.
local function countersOf(body, sound)
  local incident = cjson.decode(body)
  local all = incident.severity .. ':' .. incident.status
  local quiet = incident.silenced or incident.flapping
  if incident.status == 'firing' then
    if incident.acknowledged then all = all .. ' acknowledged' end
    if incident.silenced then all = all .. ' silenced' end
    if not (quiet or incident.acknowledged) then all = all .. ' ringing' end
  end
  if not quiet then all = all .. ' sound:' .. sound end
  return all
end

-- Counts an incident as what it is now instead of as what it was; '' for nothing. Returns whether that differs.
local function count(root, storm, card, is)
  local was = redis.call('HGET', card, 'counted') or ''
  if was == is then return false end
  local key = root .. 'storm:' .. storm
  for name in string.gmatch(was, '%S+') do redis.call('HINCRBY', key, 'n:' .. name, -1) end
  for name in string.gmatch(is, '%S+') do redis.call('HINCRBY', key, 'n:' .. name, 1) end
  if is == '' then redis.call('HDEL', card, 'counted') else redis.call('HSET', card, 'counted', is) end
  return true
end

-- Where a member stands among the others: by severity, of these those that fire first, of these the oldest.
local function memberScore(rank, kind, at)
  return tonumber(rank) * 1e14 + (string.find(kind, ':firing', 1, true) and 0 or 5e13) + at
end

-- Puts an incident into a storm's card; from ARGV[labels] on: "label=value".
local function join(root, storm, id, rank, counters, title, now, labels)
  local card, key = root .. 'card:incident:' .. id, root .. 'storm:' .. storm
  local before = redis.call('HGET', card, 'stormOwn')
  if before then
    count(root, before, card, '')
    redis.call('HDEL', card, 'stormOwn')
  end
  if before ~= storm then redis.call('HINCRBY', key, 'total', 1) end
  redis.call('HSET', card, 'storm', storm)
  redis.call('ZADD', key .. ':members', memberScore(rank, counters, now), id)
  redis.call('HSETNX', key, 'first', title)
  redis.call('HSET', key, 'last', title, 'lastAt', now)
  count(root, storm, card, counters)
  for i = labels, #ARGV do redis.call('ZINCRBY', key .. ':labels', 1, ARGV[i]) end
end

-- An incident of a storm has a card of its own, from its beginning or from now on.
local function own(root, storm, id, isFiring)
  local card, key = root .. 'card:incident:' .. id, root .. 'storm:' .. storm
  local at = redis.call('HMGET', card, 'storm', 'stormOwn')
  if at[1] == storm then
    redis.call('HDEL', card, 'storm')
    redis.call('ZREM', key .. ':members', id)
  elseif at[2] ~= storm then
    if at[2] then count(root, at[2], card, '') end
    redis.call('HINCRBY', key, 'total', 1)
  end
  redis.call('HSET', card, 'stormOwn', storm)
  count(root, storm, card, isFiring and 'own:firing' or '')
end

-- The first of a storm's members makes its card.
local function openCard(root, storm, chat, thread, now)
  redis.call('HSET', root .. 'card:storm:' .. storm, 'rev', 1, 'body', cjson.encode({ id = storm }))
  place(root, 'storm/' .. storm, storm, chat, thread, '0', 0, now)
end

-- A storm's card rings for all of its members: once a minute at most, and when all that is due has been looked at.
local function ringLater(root, storm, now)
  local last = math.min(now, tonumber(redis.call('HGET', root .. 'storm:' .. storm, 'rangAt') or '0'))
  redis.call('ZADD', root .. 'storm-rings', 'LT', math.max(now, last + 60000), storm)
end

-- Whether one more critical may have a card of its own in a storm.
local function hasRoom(mine, window, limit, now)
  redis.call('ZREMRANGEBYSCORE', mine, '-inf', now - window)
  return redis.call('ZCARD', mine) < limit
end
`;

/**
 * Ends a storm in which there were not too many new ones at once for a while. KEYS wake; ARGV root, target, storm, now,
 * calm (ms). Returns 1 when it has ended now.
 */
export const endStormLua = `${mark}${place}${storms}
local root, target, storm, now = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
if redis.call('HGET', root .. 'storms', target) ~= storm then return 0 end
local at = redis.call('HMGET', root .. 'storm:' .. storm, 'startedAt', 'floodedAt')
local last = tonumber(at[2] or at[1] or '0')
-- Others are a moment ahead of whoever looks; much later only a clock that was set back can be.
if math.abs(now - last) < tonumber(ARGV[5]) then return 0 end
redis.call('HDEL', root .. 'storms', target)
redis.call('HSET', root .. 'storm:' .. storm, 'endedAt', now)
bumpStorm(root, storm, 1, now)
redis.call('PUBLISH', KEYS[1], 'storm/' .. storm)
return 1`;

/**
 * Has a storm's card posted anew, if anything in it is still worth a sound. KEYS wake; ARGV root, storm, now. Returns 1
 * when it rings.
 */
export const ringStormLua = `${mark}${place}${storms}
local root, storm, now = ARGV[1], ARGV[2], tonumber(ARGV[3])
local key = root .. 'storm:' .. storm
if redis.call('ZREM', root .. 'storm-rings', storm) == 0 then return 0 end
if tonumber(redis.call('HGET', key, 'n:ringing') or '0') <= 0 then return 0 end
redis.call('HINCRBY', key, 'rings', 1)
redis.call('HSET', key, 'rangAt', now)
bumpStorm(root, storm, 2, now)
redis.call('PUBLISH', KEYS[1], 'storm/' .. storm)
return 1`;

/**
 * Gives a storm's member that still fires a card of its own. KEYS wake; ARGV root, storm, id, chat, thread, pid,
 * urgency, now. Returns 1 when it was one.
 */
export const releaseLua = `${mark}${place}${storms}
local root, storm, id, now = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[8])
local card = root .. 'card:incident:' .. id
if redis.call('HGET', card, 'storm') ~= storm or not redis.call('ZSCORE', root .. 'incidents-open', id) then return 0 end
own(root, storm, id, true)
redis.call('HSET', card, 'target', ARGV[4] .. ':' .. ARGV[5])
place(root, 'incident/' .. id, ARGV[6], ARGV[4], ARGV[5], '0', tonumber(ARGV[7]), now)
bumpStorm(root, storm, 3, now)
redis.call('PUBLISH', KEYS[1], 'incident/' .. id)
return 1`;

/**
 * Puts an incident whose card nobody has seen yet into a storm's card. KEYS wake; ARGV root, storm, id, rank, now,
 * title, sound, 8... "label=value". Returns 1 when it was moved; 0 when its card is in the chat, or on its way there.
 */
export const foldLua = `${mark}${place}${storms}${unplace}
local root, storm, id, now = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[5])
local card = root .. 'card:incident:' .. id
local body = redis.call('HGET', card, 'body')
if not body or redis.call('HEXISTS', card, 'storm') == 1 then return 0 end
local placements = root .. 'placements:incident:' .. id
for _, pid in ipairs(redis.call('SMEMBERS', placements)) do
  local at = redis.call('HMGET', root .. 'placement:' .. pid, 'messageId', 'claimUntil')
  if at[1] or tonumber(at[2] or '0') > now then return 0 end
end
unplace(root, placements)
join(root, storm, id, ARGV[4], countersOf(body, ARGV[7]), ARGV[6], now, 8)
bumpStorm(root, storm, 2, now)
redis.call('PUBLISH', KEYS[1], 'storm/' .. storm)
return 1`;

/**
 * A storm that is over from the beginning, for what could not be shown in time. KEYS wake; ARGV root, target, storm,
 * started (ms), now, chat, thread.
 */
export const openStormLua = `${mark}${place}${storms}
local root, storm = ARGV[1], ARGV[3]
if redis.call('EXISTS', root .. 'storm:' .. storm) == 1 then return 0 end
redis.call('ZADD', root .. 'storms-known', ARGV[4], storm)
redis.call('HSET', root .. 'storm:' .. storm, 'target', ARGV[2], 'startedAt', ARGV[4], 'endedAt', ARGV[5], 'total', 0, 'late', 1)
openCard(root, storm, ARGV[6], ARGV[7], tonumber(ARGV[5]))
redis.call('PUBLISH', KEYS[1], 'storm/' .. storm)
return 1`;
