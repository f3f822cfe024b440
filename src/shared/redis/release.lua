-- Ends a lease without a page.
-- KEYS[1]  string: lease of a fetch
-- KEYS[2]  string: failure of the last fetch
-- ARGV[1]  lease
-- ARGV[2]  failure, or an empty string
-- ARGV[3]  milliseconds for which other replicas find the failure
-- ARGV[4]  channel of the announcements
-- ARGV[5]  name of the page
local kind = redis.call('TYPE', KEYS[1]).ok
if kind ~= 'string' or redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
redis.call('DEL', KEYS[1])
if ARGV[2] ~= '' then
  redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3])
end
redis.call('PUBLISH', ARGV[4], ARGV[5])
return 1
