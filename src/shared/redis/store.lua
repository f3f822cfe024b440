-- Stores the page of a fetch, unless a purge covers it or a later fetch has stored one.
-- KEYS     as in load.lua
-- ARGV[1]  bytes of the page
-- ARGV[2]  version
-- ARGV[3]  number of purges before the fetch
-- ARGV[4]  microseconds from the beginning of the fetch to the vendor's response
-- ARGV[5]  age when the replica sent the page, in milliseconds
-- ARGV[6]  lifetime in milliseconds
-- ARGV[7]  lease, or an empty string
-- ARGV[8]  channel of the announcements
-- ARGV[9]  name of the page
-- Returns 1 if the page is stored.
for index, expected in ipairs({ 'hash', 'zset', 'string' }) do
  local kind = redis.call('TYPE', KEYS[index]).ok
  if kind ~= expected and kind ~= 'none' then
    redis.call('DEL', KEYS[index])
  end
end
local version, purges, lifetime = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[6])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local last = tonumber(redis.call('ZSCORE', KEYS[2], 'n'))
local whole = tonumber(redis.call('ZSCORE', KEYS[2], 'w'))
local is_stored = 0
if last and whole and purges >= whole and purges <= last then
  local page = redis.call('HMGET', KEYS[1], 's', 'p')
  local other, other_purges = tonumber(page[1]), tonumber(page[2])
  local is_later = other and other_purges and other_purges >= whole and other_purges <= last and other > version
  -- The server may have received the page late. Its clock may have been set back.
  local age = math.max(math.ceil((now - version - ARGV[4]) / 1000), tonumber(ARGV[5]))
  if age < lifetime and not is_later then
    -- Fails if the server has no memory. The replica then releases the lease.
    redis.call('HSET', KEYS[1], 'v', ARGV[1], 's', ARGV[2], 'p', ARGV[3], 't', ARGV[6])
    redis.call('PEXPIRE', KEYS[1], string.format('%.0f', lifetime - age))
    is_stored = 1
  end
end
if ARGV[7] ~= '' and redis.call('GET', KEYS[3]) == ARGV[7] then
  redis.call('DEL', KEYS[3])
end
redis.call('PUBLISH', ARGV[8], ARGV[9])
return is_stored
