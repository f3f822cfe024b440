-- Adds a replica's requests to a quota that several replicas count.
-- KEYS[1]  string: `{full} {written}`: the time at which the quota is full again, and
--          the time of the last report, in server microseconds
-- ARGV[1]  microseconds in which the quota admits as many requests
-- ARGV[2]  longest time until the quota is full again, in microseconds
-- ARGV[3]  microseconds until the quota is full again, as far as the replica knows
-- Returns the microseconds until the quota is full again.
local key = KEYS[1]
local used, longest, own = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local kind = redis.call('TYPE', key).ok
if kind ~= 'string' and kind ~= 'none' then
  redis.call('DEL', key)
end
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local full, written = string.match(redis.call('GET', key) or '', '^(%d+) (%d+)$')
-- Foreign bytes are a full quota.
local wait = 0
if full then
  -- If the clock was set back, the wait counts from the last report.
  wait = tonumber(full) - math.max(now, tonumber(written))
end
-- The difference of two infinite numbers is not equal to itself.
if wait ~= wait or wait < 0 then
  wait = 0
end
-- A flushed server knows less than the replica.
wait = math.min(math.max(wait + used, own), longest)
redis.call('SET', key, string.format('%.0f %.0f', now + wait, now), 'PX', math.ceil(wait / 1000) + 1)
return math.ceil(wait)
