-- Records that a replica lives, and counts the replicas.
-- KEYS[1]  sorted set: the last beat of each replica, in server milliseconds
-- ARGV[1]  id of the replica
-- ARGV[2]  milliseconds without a beat after which a replica is missing
-- ARGV[3]  milliseconds without a beat after which a replica is forgotten
-- Returns the number of known replicas and the number of live replicas.
local key, id = KEYS[1], ARGV[1]
local kind = redis.call('TYPE', key).ok
if kind ~= 'zset' and kind ~= 'none' then
  redis.call('DEL', key)
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', key, '-inf', now - ARGV[3])
-- A clock that was set back leaves beats in the future.
redis.call('ZREMRANGEBYSCORE', key, '(' .. now, '+inf')
redis.call('ZADD', key, now, id)
redis.call('PEXPIRE', key, ARGV[3])
return { redis.call('ZCARD', key), redis.call('ZCOUNT', key, now - ARGV[2], '+inf') }
