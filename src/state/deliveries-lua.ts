import { mark, strays, unplace } from "./placements-lua.ts";

/** ARGV root, now, claimMs, claim, group limit/reserve/critical/window, person limit/reserve/critical/window, edit interval per urgency. Returns {"taken", pid, rev, body, urgency, fields} or {"wait", ms}. */
export const takeLua = `
local root, now = ARGV[1], tonumber(ARGV[2])
-- What has gathered is put in order before the first of it is shown: resuming wakes everybody.
if redis.call('EXISTS', root .. 'paused') == 1 then return { 'wait', '' } end
local best, bestScore, bestChat, wake
local function later(at) if not wake or at < wake then wake = at end end
for _, chat in ipairs(redis.call('SMEMBERS', root .. 'dirty-chats')) do
  local dirty = root .. 'dirty:' .. chat
  if redis.call('ZCARD', dirty) == 0 then
    redis.call('SREM', root .. 'dirty-chats', chat)
  elseif redis.call('HEXISTS', root .. 'disabled', chat) == 0 then
    local blocked = tonumber(redis.call('HGET', root .. 'blocked', chat) or '0')
    if blocked > now then later(blocked) else
      local at = string.sub(chat, 1, 1) == '-' and 5 or 9
      local limit, window = tonumber(ARGV[at]), tonumber(ARGV[at + 3])
      local reserve, critical = tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
      local budget = root .. 'budget:' .. chat
      redis.call('ZREMRANGEBYSCORE', budget, '-inf', now - window)
      -- A clock that was set back must not leave the chat without budget until it has caught up.
      redis.call('ZREMRANGEBYSCORE', budget, '(' .. string.format('%.0f', now + window), '+inf')
      local used = redis.call('ZCARD', budget)
      local offset = 0
      local searching = true
      while searching do
        local page = redis.call('ZRANGE', dirty, offset, offset + 49, 'WITHSCORES')
        if #page == 0 then searching = false end
        for i = 1, #page, 2 do
          local pid, score = page[i], tonumber(page[i + 1])
          local urgency = math.floor(score / 1e14)
          local room = limit - (urgency == 0 and 0 or urgency == 1 and critical or reserve)
          if used >= room then
            -- All that follow are no more urgent: wait until enough entries have left the window.
            local index = used - room
            local entry = redis.call('ZRANGE', budget, index, index, 'WITHSCORES')
            if entry[2] then later(tonumber(entry[2]) + window + 1) end
            searching = false
            break
          end
          local state = redis.call('HMGET', root .. 'placement:' .. pid, 'claimUntil', 'notBefore', 'card', 'sentAt')
          if not state[3] then
            redis.call('ZREM', dirty, pid)
          else
            local ready = tonumber(state[2] or '0')
            local claimUntil = tonumber(state[1] or '0')
            if claimUntil <= now + 2 * tonumber(ARGV[3]) then ready = math.max(ready, claimUntil) end
            -- The interval between edits depends on the urgency of now: what is urgent does not wait for progress.
            local interval, sentAt = tonumber(ARGV[13 + urgency]), tonumber(state[4] or '0')
            if sentAt <= now + interval then ready = math.max(ready, sentAt + interval) end
            if ready > now then
              later(ready)
            else
              if not bestScore or score < bestScore then best, bestScore, bestChat = pid, score, chat end
              searching = false
              break
            end
          end
        end
        offset = offset + 50
      end
    end
  end
end
if not best then return { 'wait', wake and math.max(1, wake - now) or '' } end
local key = root .. 'placement:' .. best
local fields = redis.call('HGETALL', key)
local ref = redis.call('HGET', key, 'card')
local cut = string.find(ref, '/', 1, true)
local card = redis.call('HMGET', root .. 'card:' .. string.sub(ref, 1, cut - 1) .. ':' .. string.sub(ref, cut + 1), 'rev', 'body')
if not card[1] then
  redis.call('ZREM', root .. 'dirty:' .. bestChat, best)
  return { 'wait', 1 }
end
redis.call('HSET', key, 'claim', ARGV[4], 'claimUntil', now + tonumber(ARGV[3]))
redis.call('HDEL', key, 'again')
redis.call('ZADD', root .. 'budget:' .. bestChat, now, ARGV[4])
redis.call('PEXPIRE', root .. 'budget:' .. bestChat, 600000)
return { 'taken', best, card[1], card[2], tostring(math.floor(bestScore / 1e14)), fields }`;

/**
 * KEYS wake; ARGV root, pid, claim, rev, messageId, hash, now, spent, replaced, ref, raised, chat, more, documentHash,
 * stripped, replied. Returns the message id in force.
 */
export const doneLua = `${mark}${unplace}${strays}
local root, pid, claim, messageId, now = ARGV[1], ARGV[2], ARGV[3], ARGV[5], tonumber(ARGV[7])
local key = root .. 'placement:' .. pid
local at = redis.call('HMGET', key, 'chat', 'messageId', 'claim', 'again')
local chat, recorded, mine, again = at[1], at[2], at[3] == claim, at[4]
if not chat then return messageId end
-- Telegram counts from when the call arrives, which is later than when it was claimed.
if ARGV[8] == '0' then redis.call('ZREM', root .. 'budget:' .. chat, claim)
else redis.call('ZADD', root .. 'budget:' .. chat, 'XX', now, claim) end
-- The group has become a supergroup meanwhile: this id means nothing there.
if chat ~= ARGV[12] then return messageId end
if mine then redis.call('HDEL', key, 'claim', 'claimUntil', 'again') end
if redis.call('HEXISTS', key, 'moved') == 1 then
  -- What was under way when the card moved is an old copy as well.
  if ARGV[15] ~= '' then strays(key, nil, ARGV[15]) elseif messageId ~= '0' then strays(key, messageId) end
  if redis.call('HEXISTS', key, 'stray') == 0 then unplaceOne(root, pid)
  else
    mark(root, pid, 4, now)
    redis.call('PUBLISH', KEYS[1], 'again')
  end
  return messageId
end
if recorded and recorded ~= messageId and (ARGV[9] == '0' or not mine) then
  strays(key, messageId)
  mark(root, pid, 2, now)
  redis.call('PUBLISH', KEYS[1], 'again')
  return recorded
end
if recorded ~= messageId then redis.call('HSET', key, 'postedAt', ARGV[7]) end
redis.call('HSET', key, 'messageId', messageId, 'hash', ARGV[6], 'failures', '0')
if recorded and recorded ~= messageId then
  strays(key, recorded)
  -- The file stands below the old copy.
  redis.call('HDEL', key, 'documentHash')
end
if ARGV[11] ~= '' then redis.call('HSET', key, 'raised', ARGV[11]) end
if ARGV[14] ~= '' then redis.call('HSET', key, 'documentHash', ARGV[14]) end
if ARGV[15] ~= '' then strays(key, nil, ARGV[15]) end
if ARGV[16] ~= '' then redis.call('HSET', key, 'replied', ARGV[16]) end
if not mine then
  -- Somebody else has shown a newer state meanwhile, and this one may have overwritten it: looked at again.
  mark(root, pid, 2, now)
  redis.call('PUBLISH', KEYS[1], 'again')
  return messageId
end
if ARGV[8] == '1' then redis.call('HSET', key, 'sentAt', ARGV[7]) end
redis.call('HDEL', key, 'notBefore')
local cut = string.find(ARGV[10], '/', 1, true)
local rev = redis.call('HGET', root .. 'card:' .. string.sub(ARGV[10], 1, cut - 1) .. ':' .. string.sub(ARGV[10], cut + 1), 'rev')
if rev == ARGV[4] and ARGV[13] == '0' and redis.call('HEXISTS', key, 'stray') == 0 then
  redis.call('ZREM', root .. 'dirty:' .. chat, pid)
else
  redis.call('ZADD', root .. 'dirty:' .. chat, again or 2 * 1e14 + now, pid)
  redis.call('PUBLISH', KEYS[1], 'again')
end
return messageId`;

/** KEYS wake; ARGV root, pid, claim, retryAt, forget, withoutTopic, drop, disable reason. */
export const failLua = `
local root, pid = ARGV[1], ARGV[2]
local key = root .. 'placement:' .. pid
if redis.call('HGET', key, 'claim') ~= ARGV[3] then return 0 end
local chat = redis.call('HGET', key, 'chat')
redis.call('HDEL', key, 'claim', 'claimUntil')
if ARGV[5] == '1' then redis.call('HDEL', key, 'messageId', 'hash', 'documentHash', 'raised', 'replied', 'postedAt', 'stray') end
if ARGV[6] == '1' then redis.call('HSET', key, 'thread', '') end
if ARGV[4] ~= '0' then
  redis.call('HSET', key, 'notBefore', ARGV[4])
  redis.call('HINCRBY', key, 'failures', 1)
end
if ARGV[7] == '1' then redis.call('ZREM', root .. 'dirty:' .. chat, pid) end
if ARGV[8] ~= '' then redis.call('HSET', root .. 'disabled', chat, ARGV[8]) end
redis.call('PUBLISH', KEYS[1], 'failed')
return 1`;

/** ARGV root, chat, now, limit, window, member. Returns 0 or the milliseconds to wait. */
export const spendLua = `
local root, chat, now, window = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[5])
local blocked = tonumber(redis.call('HGET', root .. 'blocked', chat) or '0')
if blocked > now then return blocked - now end
local budget = root .. 'budget:' .. chat
redis.call('ZREMRANGEBYSCORE', budget, '-inf', now - window)
redis.call('ZREMRANGEBYSCORE', budget, '(' .. string.format('%.0f', now + window), '+inf')
local over = redis.call('ZCARD', budget) - tonumber(ARGV[4])
if over >= 0 then
  local entry = redis.call('ZRANGE', budget, over, over, 'WITHSCORES')
  return math.max(1, tonumber(entry[2]) + window + 1 - now)
end
-- As late as a reply usually arrives: Telegram counts from then.
redis.call('ZADD', budget, now + 1000, ARGV[6])
redis.call('PEXPIRE', budget, 600000)
return 0`;

/** ARGV root, chat, until. */
export const blockLua = `
local key = ARGV[1] .. 'blocked'
local until_ = tonumber(redis.call('HGET', key, ARGV[2]) or '0')
if tonumber(ARGV[3]) > until_ then redis.call('HSET', key, ARGV[2], ARGV[3]) end
return 1`;

/** KEYS wake; ARGV root, old chat, new chat. */
export const migrateLua = `
local root, old, new = ARGV[1], ARGV[2], ARGV[3]
redis.call('HSET', root .. 'migrated', old, new)
for _, pid in ipairs(redis.call('SMEMBERS', root .. 'chat:' .. old)) do
  local key = root .. 'placement:' .. pid
  redis.call('HSET', key, 'chat', new)
  redis.call('HDEL', key, 'messageId', 'hash', 'documentHash', 'postedAt', 'stray', 'claim', 'claimUntil', 'again', 'notBefore')
  redis.call('SADD', root .. 'chat:' .. new, pid)
  local score = redis.call('ZSCORE', root .. 'dirty:' .. old, pid)
  if score then
    redis.call('ZADD', root .. 'dirty:' .. new, score, pid)
    redis.call('SADD', root .. 'dirty-chats', new)
  end
end
redis.call('DEL', root .. 'chat:' .. old, root .. 'dirty:' .. old)
redis.call('SREM', root .. 'dirty-chats', old)
redis.call('PUBLISH', KEYS[1], 'migrated')
return 1`;

/** KEYS wake; ARGV root, pid, secret, chat, messageId, now. Returns {"ok"|"adopted", ref, action}, {"stray"} or {"unknown"}. */
export const pressLua = `${mark}${strays}
local root, pid = ARGV[1], ARGV[2]
local key = root .. 'placement:' .. pid
local at = redis.call('HMGET', key, 'chat', 'messageId', 'card')
if not at[1] or at[1] ~= ARGV[4] then return { 'unknown' } end
local buttons = redis.call('HGETALL', root .. 'buttons:' .. pid)
local action
for i = 1, #buttons, 2 do if buttons[i + 1] == ARGV[3] then action = buttons[i] end end
if not action then return { 'unknown' } end
local isMoved = redis.call('HEXISTS', key, 'moved') == 1
if not at[2] and not isMoved then
  redis.call('HSET', key, 'messageId', ARGV[5])
  redis.call('HDEL', key, 'hash')
  return { 'adopted', at[3], action }
end
if isMoved or at[2] ~= ARGV[5] then
  -- It may be a copy that nobody has on record: a bot was killed after sending it.
  strays(key, ARGV[5])
  mark(root, pid, 2, tonumber(ARGV[6]))
  redis.call('PUBLISH', KEYS[1], 'stray')
  return { 'stray' }
end
return { 'ok', at[3], action }`;
