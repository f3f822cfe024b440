-- Replaces the head of a list, unless the replica has lost the lease or a purge covers
-- the list.
-- KEYS[1]  string: id of the replica that walks
-- KEYS[2]  hash: head of the list with its bytes (v), version (s), number of purges that
--          the list rests on (p), and start of the walk in server microseconds (t)
-- KEYS[3]  sorted set: purges, as in load.lua of the pages
-- ARGV[1]  id of the replica
-- ARGV[2]  bytes of the head
-- ARGV[3]  version
-- ARGV[4]  number of purges that the list rests on
-- ARGV[5]  microseconds since the start of the walk
-- ARGV[6]  milliseconds after which the head is removed
-- Returns 1 if the head is stored.
for index, expected in ipairs({ 'string', 'hash', 'zset' }) do
  local kind = redis.call('TYPE', KEYS[index]).ok
  if kind ~= expected and kind ~= 'none' then
    redis.call('DEL', KEYS[index])
  end
end
local purges = tonumber(ARGV[4])
local last = tonumber(redis.call('ZSCORE', KEYS[3], 'n'))
local whole = tonumber(redis.call('ZSCORE', KEYS[3], 'w'))
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
if not (last and whole and purges >= whole and purges <= last) then
  return 0
end
local time = redis.call('TIME')
local start = time[1] * 1000000 + time[2] - ARGV[5]
redis.call('DEL', KEYS[2])
redis.call('HSET', KEYS[2], 'v', ARGV[2], 's', ARGV[3], 'p', ARGV[4], 't', string.format('%.0f', start))
redis.call('PEXPIRE', KEYS[2], ARGV[6])
return 1
