import { Script } from "./redis.ts";

/**
 * Adds a reading to its day. KEYS day, hours to be made anew, chunks of the server; ARGV time within the day (4 bytes),
 * name of the day's chunk, number of the day, hour, most readings of a day, an absent value, then name and value of each
 * metric. 'added', 'known' when that very time is there, 'full'.
 */
export const appendScript = new Script(`
local at = ARGV[1]
local times = redis.call('HGET', KEYS[1], 't') or ''
local n = #times / 4
local place = n
while place > 0 do
  local other = string.sub(times, place * 4 - 3, place * 4)
  if other == at then return 'known' end
  if other < at then break end
  place = place - 1
end
if n >= tonumber(ARGV[5]) then return 'full' end
local function put(column, value)
  local have = #column / 4
  if have < place then column = column .. string.rep(ARGV[6], place - have) end
  return string.sub(column, 1, place * 4) .. value .. string.sub(column, place * 4 + 1)
end
if n == 0 then redis.call('ZADD', KEYS[3], ARGV[3], ARGV[2]) end
local set = {'t', put(times, at)}
local given = {t = true}
for i = 7, #ARGV, 2 do
  local name = ARGV[i]
  given[name] = true
  set[#set + 1] = name
  set[#set + 1] = put(redis.call('HGET', KEYS[1], name) or '', ARGV[i + 1])
end
-- A late one moves what comes after it, also in the columns that it has no value for.
if place < n then
  local all = redis.call('HGETALL', KEYS[1])
  for i = 1, #all, 2 do
    if not given[all[i]] and #all[i + 1] > place * 4 then
      set[#set + 1] = all[i]
      set[#set + 1] = put(all[i + 1], ARGV[6])
    end
  end
end
redis.call('HSET', KEYS[1], unpack(set))
redis.call('ZINCRBY', KEYS[2], 1, ARGV[4])
return 'added'`);

/**
 * Puts hours into their block. KEYS block, hours to be made anew, chunks of the server; ARGV revision of the block that
 * was read, name of the block's chunk, its first day, how many hours, then each hour with how often it had been written
 * to, then name and content of each metric. 0 when somebody was faster.
 */
export const foldScript = new Script(`
if (redis.call('HGET', KEYS[1], 'v') or '') ~= ARGV[1] then return 0 end
local last = 4 + 2 * tonumber(ARGV[4])
if #ARGV > last then
  for i = last + 1, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
  redis.call('HINCRBY', KEYS[1], 'v', 1)
  redis.call('ZADD', KEYS[3], ARGV[3], ARGV[2])
end
for i = 5, last, 2 do
  if redis.call('ZSCORE', KEYS[2], ARGV[i]) == ARGV[i + 1] then redis.call('ZREM', KEYS[2], ARGV[i]) end
end
return 1`);
