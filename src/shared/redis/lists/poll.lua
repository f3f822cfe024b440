-- Takes or renews the lease of a list's walks, and returns the state of the list.
-- KEYS[1]  string: id of the replica that walks
-- KEYS[2]  hash: head of the list, as in publish.lua
-- KEYS[3]  sorted set: purges, as in load.lua of the pages
-- KEYS[4]  set: requests for the replica that walks
-- ARGV[1]  id of the replica
-- ARGV[2]  milliseconds of the lease
-- ARGV[3]  number of purges that the replica's list rests on, or an empty string
-- ARGV[4]  milliseconds after which purges are forgotten
-- Returns 1 or 0 for the lease, the number of purges, the version of the head or an
-- empty string, 1 or 0 for the validity of the third argument, and the requests
-- separated by spaces. The sealed ids of the customers that were purged after the third
-- argument follow, each with the number of its purge.
for index, expected in ipairs({ 'string', 'hash', 'zset', 'set' }) do
  local kind = redis.call('TYPE', KEYS[index]).ok
  if kind ~= expected and kind ~= 'none' then
    redis.call('DEL', KEYS[index])
  end
end
local id, duration = ARGV[1], tonumber(ARGV[2])
local holder = redis.call('GET', KEYS[1])
local left = redis.call('PTTL', KEYS[1])
-- A lease always expires.
local is_free = not holder or holder == id or left < 0 or left > duration
local requests = ''
if is_free then
  -- The first write deletes, so the script also runs without free memory.
  redis.call('DEL', KEYS[1])
  redis.call('SET', KEYS[1], id, 'PX', duration)
  requests = table.concat(redis.call('SMEMBERS', KEYS[4]), ' ')
  redis.call('DEL', KEYS[4])
end
local last = tonumber(redis.call('ZSCORE', KEYS[3], 'n'))
local whole = tonumber(redis.call('ZSCORE', KEYS[3], 'w'))
if not (last and whole and whole >= 0 and whole <= last and last < 9e15) then
  -- The server has lost the purges. No older list has this number.
  local time = redis.call('TIME')
  last = time[1] * 1000000 + time[2]
  whole = last
  local number = string.format('%.0f', last)
  redis.call('DEL', KEYS[3])
  redis.call('ZADD', KEYS[3], number, 'n', number, 'w')
end
redis.call('PEXPIRE', KEYS[3], ARGV[4])
local head = redis.call('HMGET', KEYS[2], 's', 'p')
local purges = tonumber(head[2])
local is_head = head[1] and purges and purges >= whole and purges <= last
local basis = tonumber(ARGV[3])
local is_basis = basis and basis >= whole and basis <= last
local result = {
  is_free and '1' or '0',
  string.format('%.0f', last),
  is_head and head[1] or '',
  is_basis and '1' or '0',
  requests,
}
if is_basis then
  local newer = '(' .. string.format('%.0f', basis)
  local purged = redis.call('ZRANGEBYSCORE', KEYS[3], newer, '+inf', 'WITHSCORES')
  for index = 1, #purged, 2 do
    if string.sub(purged[index], 1, 1) == 'c' then
      result[#result + 1] = string.sub(purged[index], 2)
      result[#result + 1] = string.format('%.0f', tonumber(purged[index + 1]))
    end
  end
end
return result
