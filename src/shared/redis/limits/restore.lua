-- Enters sent calls that the server may not know.
-- KEYS[1]  sorted set: send time of each call
-- KEYS[2]  hash of take.lua
-- ARGV[1]  id of the replica
-- ARGV[2]  number of periods
-- ARGV[3…] periods in microseconds; then the number of each call, and microseconds since
--          its send
-- Returns the first use of the limit, in server microseconds, and the calls of all
-- replicas in each period.
for index, kind in ipairs({ 'zset', 'hash' }) do
  local actual = redis.call('TYPE', KEYS[index]).ok
  if actual ~= kind and actual ~= 'none' then
    redis.call('DEL', KEYS[index])
  end
end
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
-- The first write deletes, so the script also runs without free memory.
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('HSETNX', KEYS[2], 'since', string.format('%.0f', now))
-- A call in flight holds a later time.
local first = 3 + ARGV[2]
for index = first, #ARGV, 2 do
  redis.call('ZADD', KEYS[1], 'GT', string.format('%.0f', now - ARGV[index + 1]), ARGV[1] .. ':' .. ARGV[index])
end
local lifetime = 90 * 86400 * 1000
redis.call('PEXPIRE', KEYS[1], lifetime)
redis.call('PEXPIRE', KEYS[2], lifetime)
local reply = { tonumber(redis.call('HGET', KEYS[2], 'since')) or 0 }
for index = 3, first - 1 do
  table.insert(reply, redis.call('ZCOUNT', KEYS[1], string.format('%.0f', now - ARGV[index]), '+inf'))
end
return reply
