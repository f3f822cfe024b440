-- Takes or releases the lease of a probe.
-- KEYS[1]  string: id of the replica that holds the lease
-- ARGV[1]  id of the replica
-- ARGV[2]  lifetime in milliseconds; 0 releases the lease
-- Returns 1, or 0 if another replica holds the lease.
local key, id, lifetime = KEYS[1], ARGV[1], tonumber(ARGV[2])
local kind = redis.call('TYPE', key).ok
-- A lease always expires.
if kind ~= 'string' and kind ~= 'none' or redis.call('PTTL', key) == -1 then
  redis.call('DEL', key)
end
local holder = redis.call('GET', key)
if holder and holder ~= id then
  return 0
end
redis.call('DEL', key)
if lifetime > 0 then
  redis.call('SET', key, id, 'PX', lifetime)
end
return 1
