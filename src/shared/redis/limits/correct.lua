-- Changes the send time of a call, or gives its slot back.
-- KEYS[1]  sorted set: send time of each call
-- KEYS[2]  hash of take.lua
-- ARGV[1]  id of the replica and number of the call
-- ARGV[2]  send time in server microseconds; empty for a call that is not sent
-- ARGV[3]  1 if the send time may become earlier
-- Returns 1, or 0 if the call is unknown.
local sent, member, at = KEYS[1], ARGV[1], tonumber(ARGV[2])
local before = tonumber(redis.call('ZSCORE', sent, member) or nil)
if not before then
  return 0
end
-- The first write deletes, so the script also runs without free memory.
redis.call('ZREM', sent, member)
if at then
  if ARGV[3] ~= '1' then
    at = math.max(at, before)
  end
  redis.call('ZADD', sent, string.format('%.0f', at), member)
elseif redis.call('EXISTS', sent) == 0 then
  -- An empty set is not a lost set.
  redis.call('HSET', KEYS[2], 'last', 0)
end
return 1
