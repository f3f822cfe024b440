-- Changes the send time of a call, or gives its slot back.
-- KEYS[1]  sorted set: send time of each call
-- KEYS[2]  hash of take.lua
-- ARGV[1]  id of the replica and number of the call
-- ARGV[2]  send time in server microseconds; empty for a call that is not sent
if redis.call('ZREM', KEYS[1], ARGV[1]) == 0 then
  return 0
end
if ARGV[2] ~= '' then
  redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
elseif redis.call('EXISTS', KEYS[1]) == 0 then
  -- An empty set is not a lost set.
  redis.call('HSET', KEYS[2], 'last', 0)
end
return 1
