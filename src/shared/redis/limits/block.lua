-- Applies a response of the vendor to the block of a credential.
-- KEYS[1]  hash: until, limited, limits, reason
--          until:   end of the block
--          limited: end of the last block after a rate limit
--          limits:  consecutive blocks after a rate limit
--          reason:  1 for a rate limit, 2 for a pause
-- ARGV[1]  `limited`, `pause` or `succeeded`
-- ARGV[2]  time since the call was sent
-- ARGV[3]  time that the vendor named
-- ARGV[4]  factor of the backoff, from 1 on
-- All times are microseconds.
-- Returns the remaining time, the reason and the consecutive rate limits.
local MIN_BLOCK, MAX_DOUBLINGS = 1000000, 5

local state = KEYS[1]
local kind = redis.call('TYPE', state).ok
if kind ~= 'hash' and kind ~= 'none' then
  redis.call('DEL', state)
end
local function number(value)
  local parsed = tonumber(value or nil)
  return parsed and parsed >= 0 and parsed < 9e15 and parsed or 0
end
local fields = redis.call('HMGET', state, 'until', 'limited', 'limits', 'reason')
local blocked, limited, limits, reason = number(fields[1]), number(fields[2]), number(fields[3]), number(fields[4])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local sent = now - ARGV[2]

local function extend(till, why)
  if till > blocked then
    blocked, reason = till, why
  end
end
if ARGV[1] == 'limited' then
  local wait = tonumber(ARGV[3])
  -- Only a call that was sent after the last block shows that it was too short.
  if sent >= limited then
    wait = math.max(wait, MIN_BLOCK * 2 ^ math.min(limits, MAX_DOUBLINGS) * ARGV[4])
    limits = limits + 1
  end
  limited = math.max(limited, now + wait)
  extend(now + wait, 1)
elseif ARGV[1] == 'pause' then
  extend(now + ARGV[3], 2)
elseif sent >= limited then
  limits = 0
end
-- The first write deletes, so the script also runs without free memory.
redis.call('HDEL', state, 'limits')
redis.call(
  'HSET', state, 'until', string.format('%.0f', blocked), 'limited', string.format('%.0f', limited),
  'limits', string.format('%.0f', limits), 'reason', reason
)
redis.call('PEXPIRE', state, 90 * 86400 * 1000)
return { math.max(0, blocked - now), reason, limits }
