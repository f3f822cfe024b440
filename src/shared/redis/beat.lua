-- Records that a replica lives, and counts the replicas.
-- KEYS[1]  sorted set: the last beat that each replica knows to be recorded, in server
--          milliseconds
-- ARGV[1]  id of the replica
-- ARGV[2]  milliseconds without a beat after which a replica is missing
-- ARGV[3]  milliseconds without a beat after which a replica is forgotten
-- ARGV[4]  server time in the reply that the replica received last, or 0
-- Returns the number of known replicas, the number of live replicas, and the server
-- time. Both numbers include this replica.
local key, id = KEYS[1], ARGV[1]
local kind = redis.call('TYPE', key).ok
if kind ~= 'zset' and kind ~= 'none' then
  redis.call('DEL', key)
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
-- The first write deletes, so the script also runs without free memory.
redis.call('ZREM', key, id)
redis.call('ZREMRANGEBYSCORE', key, '-inf', now - ARGV[3])
-- A clock that was set back leaves beats in the future.
redis.call('ZREMRANGEBYSCORE', key, '(' .. now, '+inf')
local known = redis.call('ZCARD', key) + 1
local live = redis.call('ZCOUNT', key, now - ARGV[2], '+inf') + 1
-- A replica that receives no replies uses its part of the limits, although its beats
-- arrive. Only a received reply therefore counts.
local received = tonumber(ARGV[4])
if received > 0 and received <= now and received > now - ARGV[3] then
  redis.call('ZADD', key, received, id)
  redis.call('PEXPIRE', key, ARGV[3])
end
return { known, live, now }
