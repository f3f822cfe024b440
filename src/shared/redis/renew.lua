-- Prolongs a lease.
-- KEYS[1]  string: lease of a fetch
-- ARGV[1]  lease
-- ARGV[2]  milliseconds
-- Returns 1 unless the lease has lapsed.
local kind = redis.call('TYPE', KEYS[1]).ok
if kind ~= 'string' or redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
