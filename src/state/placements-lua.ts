/** Marks a placement dirty. `mark(root, pid, urgency, now)` */
export const mark = `
local function mark(root, pid, urgency, now)
  local key = root .. 'placement:' .. pid
  local at = redis.call('HMGET', key, 'chat', 'claim', 'again')
  if not at[1] then return end
  local score = urgency * 1e14 + now
  redis.call('ZADD', root .. 'dirty:' .. at[1], 'LT', score, pid)
  redis.call('SADD', root .. 'dirty-chats', at[1])
  -- What comes while a claim is under way has its own urgency, not that of the news under way.
  if at[2] and (not at[3] or score < tonumber(at[3])) then
    redis.call('HSET', key, 'again', string.format('%.0f', score))
  end
end
`;

/** Creates a placement, or finds the one that the card has there. `place(root, ref, pid, chat, thread, silent, urgency, now)` gives its id. */
export const place = `
local function place(root, ref, pid, chat, thread, silent, urgency, now)
  local placements = root .. 'placements:' .. string.gsub(ref, '/', ':', 1)
  for _, known in ipairs(redis.call('SMEMBERS', placements)) do
    local at = redis.call('HMGET', root .. 'placement:' .. known, 'chat', 'thread')
    if at[1] == chat and at[2] == thread then return known end
  end
  redis.call('HSET', root .. 'placement:' .. pid, 'card', ref, 'chat', chat, 'thread', thread, 'silent', silent)
  redis.call('SADD', placements, pid)
  redis.call('SADD', root .. 'chat:' .. chat, pid)
  mark(root, pid, urgency, now)
  return pid
end
`;

/** Takes all placements of a card from the chats' books. `unplace(root, placements)` */
export const unplace = `
local function unplaceOne(root, pid)
  local chat = redis.call('HGET', root .. 'placement:' .. pid, 'chat')
  redis.call('DEL', root .. 'placement:' .. pid, root .. 'buttons:' .. pid)
  if chat then
    redis.call('SREM', root .. 'chat:' .. chat, pid)
    redis.call('ZREM', root .. 'dirty:' .. chat, pid)
  end
end

local function unplace(root, placements)
  for _, pid in ipairs(redis.call('SMEMBERS', placements)) do unplaceOne(root, pid) end
  redis.call('DEL', placements)
end
`;

/**
 * The card goes on as the placement `to`: what it has in the chat so far only waits to lose its buttons; after `unplace`.
 * `leave(root, placements, to, now)`
 */
export const leave = `
local function leave(root, placements, to, now)
  for _, pid in ipairs(redis.call('SMEMBERS', placements)) do
    local key = root .. 'placement:' .. pid
    local at = redis.call('HMGET', key, 'messageId', 'stray', 'claimUntil', 'chat')
    local left = at[1] and at[2] and at[2] .. ',' .. at[1] or at[1] or at[2]
    if not at[4] or (not left and tonumber(at[3] or '0') <= now) then
      unplaceOne(root, pid)
    else
      redis.call('HSET', key, 'moved', to)
      if left then redis.call('HSET', key, 'stray', left) end
      redis.call('HDEL', key, 'messageId', 'hash', 'documentHash', 'raised', 'replied', 'postedAt', 'sentAt')
      redis.call('ZREM', root .. 'dirty:' .. at[4], pid)
      mark(root, pid, 4, now)
    end
  end
  redis.call('DEL', placements)
end
`;

/** Copies that still have to say that the card goes on elsewhere, the oldest first: it can be posted anew before that is done. */
export const strays = `
local function strays(key, add, remove)
  local left = {}
  for id in string.gmatch(redis.call('HGET', key, 'stray') or '', '[^,]+') do
    if id ~= add and id ~= remove then left[#left + 1] = id end
  end
  if add then left[#left + 1] = add end
  if #left == 0 then redis.call('HDEL', key, 'stray') else redis.call('HSET', key, 'stray', table.concat(left, ',')) end
end
`;
