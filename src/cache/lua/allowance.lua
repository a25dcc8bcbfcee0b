-- A token bucket (as GCRA: Rec. ITU-T I.371, annex A): keeps the moment at which the allowance is whole again.
-- KEYS: the allowance. ARGV: ms that one unit takes to come back, burst in ms, cost in units, '1' where it counts even if
-- too little is left. Returns {'taken' or 'refused', units left ×1000 (below 0: debt)}. Atomic.
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local each, burst, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local whole = math.max(now, tonumber(redis.call('GET', KEYS[1])) or now)
local after = whole + cost * each
if after - now > burst then
  if ARGV[4] ~= '1' then return { 'refused', math.floor((burst - (whole - now)) / each * 1000) } end
  after = math.min(after, now + 2 * burst)
end
redis.call('SET', KEYS[1], string.format('%.3f', after), 'PX', math.max(1, math.ceil(after - now)))
return { 'taken', math.floor((burst - (after - now)) / each * 1000) }
