-- Takes a slot of a rate limit, or a place in the queue of the replicas.
-- KEYS[1]  sorted set: send time of each call
-- KEYS[2]  hash: since, total, last, keep and the fields of block.lua
-- KEYS[3]  sorted set: order of the waiting replicas
-- KEYS[4]  sorted set: time at which each waiting replica leaves the queue
-- ARGV[1]  id of the replica
-- ARGV[2]  number of the call; an earlier slot of the call is given back
-- ARGV[3]  time after the slot that counts as the send time
-- ARGV[4]  time between two calls beyond the period of a window
-- ARGV[5]  time between two calls while not all waiting calls have a free slot
-- ARGV[6]  number of waiting calls
-- ARGV[7]  1 if all other replicas go first
-- ARGV[8]  1 if a limit without a stored state has no free slots
-- ARGV[9]  `since` of the last reply, or 0
-- ARGV[10] `total` of the last reply
-- ARGV[11] 1 if the replica has seen the server's clock jump forward
-- ARGV[12…] number of calls and period of each window
-- All times are microseconds, on the server's clock.
-- Returns 1 for a slot or 0, the time until the slot, its send time, `total`,
-- `since`, `now`, and the block: remaining time, reason, consecutive rate limits.
local SECOND = 1000000
-- Longest time from the reply to the slot, for a replica that is never late.
local AHEAD = 5000
-- Time that a waiting replica may be late.
local GRACE = 100000
-- Shortest time without free slots, and longest period that counts as used up,
-- after a loss of the stored state.
local MIN_EXHAUSTED, MAX_EXHAUSTED = 1500000, 60 * SECOND
-- Sent calls are never farther in the future.
local MAX_HELD = 15 * SECOND
-- Order of background replicas, after all others.
local BACKGROUND = 4e15
local DAY = 86400 * SECOND

local sent, state, waiting, lapses = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
for index, kind in ipairs({ 'zset', 'hash', 'zset', 'zset' }) do
  local actual = redis.call('TYPE', KEYS[index]).ok
  if actual ~= kind and actual ~= 'none' then
    redis.call('DEL', KEYS[index])
  end
end

-- A number is converted without exponent and fraction.
local function text(number)
  return string.format('%.0f', number)
end
local function number(value)
  local parsed = tonumber(value or nil)
  return parsed and parsed >= 0 and parsed < 9e15 and parsed or nil
end

local replica, member = ARGV[1], ARGV[1] .. ':' .. ARGV[2]
local lateness, margin, pace, demand = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local background, exhausts = ARGV[7] == '1', ARGV[8] == '1'
local seen_since, seen_total = tonumber(ARGV[9]), tonumber(ARGV[10])
local has_jumped = ARGV[11] == '1'
local time = redis.call('TIME')
local now = time[1] * SECOND + time[2]

local fields = redis.call('HMGET', state, 'since', 'total', 'last', 'keep', 'until', 'limited', 'limits', 'reason')
local since, total, last = number(fields[1]), number(fields[2]) or 0, number(fields[3]) or 0
local keep = number(fields[4]) or 0
local blocked, limited = number(fields[5]) or 0, number(fields[6]) or 0
for index = 12, #ARGV, 2 do
  keep = math.max(keep, tonumber(ARGV[index + 1]) + margin)
end

-- The stored calls do not show all recent calls: there is no state, a backup was
-- loaded, the calls were evicted, or the clock was changed.
local went_back = last > now + SECOND
local is_lost = not since or since > now
  or (since == seen_since and total < seen_total)
  or (redis.call('EXISTS', sent) == 0 and last > now - keep)
  or has_jumped
  or went_back
if went_back then
  blocked, limited = math.max(0, blocked - last + now), math.max(0, limited - last + now)
end
if is_lost then
  since, last = now, 0
end

-- The first write deletes, so the script also runs without free memory.
local was_sent = redis.call('ZREM', sent, member) == 1
redis.call('ZREMRANGEBYSCORE', sent, '-inf', text(now - keep))
if is_lost then
  for _, held in ipairs(redis.call('ZRANGEBYSCORE', sent, text(now + MAX_HELD), '+inf')) do
    redis.call('ZADD', sent, text(now), held)
  end
end
local count = redis.call('ZCARD', sent)
if was_sent then
  last = count == 0 and 0 or math.max(0, last - pace)
end

for _, other in ipairs(redis.call('ZRANGEBYSCORE', lapses, '-inf', text(now))) do
  redis.call('ZREM', waiting, other)
  redis.call('ZREM', lapses, other)
end
if redis.call('ZCARD', waiting) ~= redis.call('ZCARD', lapses) then
  redis.call('DEL', waiting, lapses)
end
local order = number(redis.call('ZSCORE', waiting, replica))
if not order or (order >= BACKGROUND) ~= background then
  order = background and BACKGROUND + now or now
end
local ahead = redis.call('ZCOUNT', waiting, '-inf', '(' .. text(order))
-- The replica's own place may be one of them, if its order has changed.
local own = number(redis.call('ZSCORE', waiting, replica))
if own and own < order then
  ahead = ahead - 1
end

local slot, free = math.max(now, blocked), math.huge
for index = 12, #ARGV, 2 do
  local requests, per = tonumber(ARGV[index]), tonumber(ARGV[index + 1]) + margin
  -- A call that is not sent yet is one period earlier than the call `requests`
  -- after it.
  local rank = count + ahead % requests - requests
  local at = now
  if rank >= 0 then
    at = math.max(now, number(redis.call('ZRANGE', sent, rank, rank, 'WITHSCORES')[2]) + per)
  end
  slot = math.max(slot, at + math.floor(ahead / requests) * per)
  if exhausts then
    slot = math.max(slot, since + (per - margin <= MAX_EXHAUSTED and math.max(per, MIN_EXHAUSTED) or MIN_EXHAUSTED))
  end
  free = math.min(free, requests - redis.call('ZCOUNT', sent, '(' .. text(now - per), '+inf'))
end
if demand + ahead > free and last > 0 then
  slot = math.max(slot, last + pace * (ahead + 1))
end
if background and ahead > 0 then
  slot = math.max(slot, now + 4 * AHEAD)
end

-- A distant replica gets its slots in advance: one round trip for each call.
local is_granted = slot <= now + AHEAD + 2 * lateness
if is_granted then
  redis.call('ZREM', waiting, replica)
  redis.call('ZREM', lapses, replica)
  redis.call('ZADD', sent, text(slot + lateness), member)
  last, total = slot, total + 1
else
  redis.call('ZADD', waiting, text(order), replica)
  redis.call('ZADD', lapses, text(slot + GRACE), replica)
end
redis.call('HSET', state, 'since', text(since), 'total', text(total), 'last', text(last), 'keep', text(keep))
if went_back then
  redis.call('HSET', state, 'until', text(blocked), 'limited', text(limited))
end
-- An unused limit is forgotten after 90 days.
local lifetime = math.max(90 * DAY, keep + DAY) / 1000
redis.call('PEXPIRE', sent, text(lifetime))
redis.call('PEXPIRE', state, text(lifetime))
redis.call('PEXPIRE', waiting, text(lifetime))
redis.call('PEXPIRE', lapses, text(lifetime))
return {
  is_granted and 1 or 0, slot - now, slot + lateness, total, since, now,
  math.max(0, blocked - now), number(fields[8]) or 0, number(fields[7]) or 0,
}
