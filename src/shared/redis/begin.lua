-- Begins the fetch of a page, unless a page was stored or another replica fetches it.
-- KEYS     as in load.lua
-- ARGV[1]  version of the page that the replica has, or 0
-- ARGV[2]  milliseconds of a lease, or 0 for a fetch without a lease
-- ARGV[3]  c for a caller's fetch, r for a refresh
-- ARGV[4]  token of the replica, in hexadecimal digits
-- ARGV[5]  milliseconds after which a caller takes the lease of a refresh
-- ARGV[6]  milliseconds after which purges are forgotten
-- Returns `stored`; or `held` and the lease; or `started`, the version, the number of
-- purges, and the lease or an empty string.
for index, expected in ipairs({ 'hash', 'zset', 'string' }) do
  local kind = redis.call('TYPE', KEYS[index]).ok
  if kind ~= expected and kind ~= 'none' then
    redis.call('DEL', KEYS[index])
  end
end
local newer_than, duration = tonumber(ARGV[1]), tonumber(ARGV[2])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local last = tonumber(redis.call('ZSCORE', KEYS[2], 'n'))
local whole = tonumber(redis.call('ZSCORE', KEYS[2], 'w'))
if not (last and whole and whole >= 0 and whole <= last and last < 9e15) then
  -- The server has lost the purges. No older page has this number.
  redis.call('DEL', KEYS[2])
  last, whole = now, now
  local number = string.format('%.0f', now)
  redis.call('ZADD', KEYS[2], number, 'n', number, 'w')
end
redis.call('PEXPIRE', KEYS[2], ARGV[6])
local page = redis.call('HMGET', KEYS[1], 's', 'p')
local version, purges = tonumber(page[1]), tonumber(page[2])
local is_valid = version and version < 9e15 and purges and purges >= whole and purges <= last
if is_valid and version > newer_than then
  return { 'stored' }
end
local start = now
if is_valid and version >= start then
  -- The server's clock was set back.
  start = version + 1
end
local lease = ''
if duration > 0 then
  local held = redis.call('GET', KEYS[3])
  if held then
    local class, begun, number = string.match(held, '^([cr]):(%d+):(%d+):%x+$')
    local left = redis.call('PTTL', KEYS[3])
    local is_lease = class and left > 0 and left <= duration and tonumber(number) >= whole
    local is_slow = class == 'r' and ARGV[3] == 'c' and now - tonumber(begun) > ARGV[5] * 1000
    if is_lease and not is_slow then
      return { 'held', held }
    end
  end
  lease = table.concat({ ARGV[3], string.format('%.0f', start), string.format('%.0f', last), ARGV[4] }, ':')
  redis.call('SET', KEYS[3], lease, 'PX', duration)
end
return { 'started', string.format('%.0f', start), string.format('%.0f', last), lease }
