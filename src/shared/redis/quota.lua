-- Adds a replica's requests to a quota that several replicas count.
-- KEYS[1]  string: time at which the quota is full again, in server microseconds
-- ARGV[1]  microseconds in which the quota admits as many requests
-- ARGV[2]  microseconds in which the quota refills completely
-- ARGV[3]  microseconds until the quota is full again, as far as the replica knows
-- Returns the microseconds until the quota is full again.
local key = KEYS[1]
local used, capacity, own = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local kind = redis.call('TYPE', key).ok
if kind ~= 'string' and kind ~= 'none' then
  redis.call('DEL', key)
end
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local full = tonumber(redis.call('GET', key) or '')
-- Foreign bytes are no number, or NaN, which is not equal to itself.
if not full or full ~= full or full < now then
  full = now
end
-- A flushed server knows less than the replica.
full = math.max(full + used, now + own)
-- Replicas that admit a burst each use more than the quota. The callers wait for at
-- most one more period, also after the server's clock was set back.
full = math.min(full, now + 2 * capacity)
redis.call('SET', key, string.format('%.0f', full), 'PX', math.ceil((full - now) / 1000) + 1)
return math.ceil(full - now)
