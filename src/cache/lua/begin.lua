-- Begins an epoch: sets the meta where it is absent or none, of another incarnation, or of a lower epoch (19 digits). The
-- count of draws goes on above every earlier one, also of a meta that is gone: no token or fence is like one from before.
-- KEYS: meta. ARGV: guard (3), cursor. Returns 'begun', or 'mismatch' when another incarnation answers or a newer
-- epoch stands. Works when memory is short.
if incarnation() ~= ARGV[1] then return 'mismatch' end
local stored = meta(1, 'i', 'e', 'n')
local newer = stored[2] and is_number(stored[2]) and stored[2] >= ARGV[2]
if stored[1] == ARGV[1] and newer then return 'mismatch' end
local time, drawn = redis.call('TIME'), tonumber(stored[3] or 0) or 0
if not (drawn < 2 ^ 53) then drawn = 0 end
drawn = math.max(drawn, time[1] * 1000000 + time[2])
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'i', ARGV[1], 'e', ARGV[2], 'g', ARGV[3], 'c', ARGV[4], 'n', string.format('%.0f', drawn))
return 'begun'
