-- Loads a page, unless a purge of the account covers it.
-- KEYS[1]  hash: the page with its bytes (v), version (s), number of purges before
--          its fetch (p) and lifetime in milliseconds (t)
-- KEYS[2]  sorted set: the number of the last purge (n), of the last purge of all pages
--          (w), and of the purge of each customer (c and the sealed id)
-- KEYS[3]  string: lease of a fetch, `{class}:{version}:{purges}:{token}`
-- Returns the lease or an empty string, and for a page: version, age in milliseconds,
-- bytes, and the sealed ids of the customers that were purged since its fetch.
for index, expected in ipairs({ 'hash', 'zset', 'string' }) do
  local kind = redis.call('TYPE', KEYS[index]).ok
  if kind ~= expected and kind ~= 'none' then
    redis.call('DEL', KEYS[index])
  end
end
local page = redis.call('HMGET', KEYS[1], 's', 'p', 't', 'v')
local version, purges, lifetime = tonumber(page[1]), tonumber(page[2]), tonumber(page[3])
local left = redis.call('PTTL', KEYS[1])
local last = tonumber(redis.call('ZSCORE', KEYS[2], 'n'))
local whole = tonumber(redis.call('ZSCORE', KEYS[2], 'w'))
local result = { redis.call('GET', KEYS[3]) or '' }
-- The fetch of a lease from before a purge stores no page.
if (tonumber(string.match(result[1], '^[cr]:%d+:(%d+):%x+$')) or -1) < (whole or 0) then
  result[1] = ''
end
if not (version and purges and lifetime and page[4] and last and whole) then
  return result
end
-- A page of other purges belongs to another state of the account.
if left <= 0 or left > lifetime or purges < whole or purges > last then
  return result
end
result[2] = string.format('%.0f', version)
result[3] = string.format('%.0f', lifetime - left)
result[4] = page[4]
if purges < last then
  for _, member in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. string.format('%.0f', purges), '+inf')) do
    if string.sub(member, 1, 1) == 'c' then
      result[#result + 1] = string.sub(member, 2)
    end
  end
end
return result
