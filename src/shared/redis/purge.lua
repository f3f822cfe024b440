-- Purges a customer's pages, or all pages of an account.
-- KEYS[1]  sorted set: purges, as in load.lua
-- ARGV[1]  sealed id of the customer, or an empty string for all pages
-- ARGV[2]  number of customers above which all pages are purged
-- ARGV[3]  milliseconds after which purges are forgotten
local kind = redis.call('TYPE', KEYS[1]).ok
if kind ~= 'zset' and kind ~= 'none' then
  redis.call('DEL', KEYS[1])
end
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local last = tonumber(redis.call('ZSCORE', KEYS[1], 'n'))
local whole = tonumber(redis.call('ZSCORE', KEYS[1], 'w'))
local is_valid = last and whole and whole >= 0 and whole <= last and last < 9e15
local number = string.format('%.0f', (is_valid and last or now) + 1)
-- The first write removes members, so a server without memory accepts the others.
if is_valid and ARGV[1] ~= '' and redis.call('ZCARD', KEYS[1]) < ARGV[2] + 2 then
  redis.call('ZREM', KEYS[1], '')
  redis.call('ZADD', KEYS[1], number, 'n', number, 'c' .. ARGV[1])
else
  redis.call('DEL', KEYS[1])
  redis.call('ZADD', KEYS[1], number, 'n', number, 'w')
end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
