-- Returns the id of the last announced purge.
-- KEYS[1]  stream: announced purges
local kind = redis.call('TYPE', KEYS[1]).ok
if kind ~= 'stream' and kind ~= 'none' then
  redis.call('DEL', KEYS[1])
end
local entries = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
if #entries == 0 then
  return redis.call('XADD', KEYS[1], '*', 'p', '')
end
return entries[1][1]
