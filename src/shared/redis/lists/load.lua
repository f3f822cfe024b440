-- Loads the head of a list, unless a purge of the account covers it.
-- KEYS[1]  hash: head of the list, as in publish.lua
-- KEYS[2]  sorted set: purges, as in load.lua of the pages
-- Returns nothing; or the version, the microseconds since the start of the walk, the
-- number of purges that the list rests on, the bytes, and the sealed ids of the
-- customers that were purged since.
for index, expected in ipairs({ 'hash', 'zset' }) do
  local kind = redis.call('TYPE', KEYS[index]).ok
  if kind ~= expected and kind ~= 'none' then
    redis.call('DEL', KEYS[index])
  end
end
local head = redis.call('HMGET', KEYS[1], 's', 'p', 't', 'v')
local purges, start = tonumber(head[2]), tonumber(head[3])
local last = tonumber(redis.call('ZSCORE', KEYS[2], 'n'))
local whole = tonumber(redis.call('ZSCORE', KEYS[2], 'w'))
if not (head[1] and purges and start and head[4] and last and whole) then
  return {}
end
if purges < whole or purges > last then
  return {}
end
local time = redis.call('TIME')
local age = time[1] * 1000000 + time[2] - start
-- The server's clock was set back, or the number is foreign.
if not (age >= 0 and age < 9e15) then
  return {}
end
local result = { head[1], string.format('%.0f', age), string.format('%.0f', purges), head[4] }
for _, member in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. string.format('%.0f', purges), '+inf')) do
  if string.sub(member, 1, 1) == 'c' then
    result[#result + 1] = string.sub(member, 2)
  end
end
return result
