-- Begins a generation: sets the meta where it is absent, of another incarnation, or of a lower epoch (19 digits).
-- KEYS: meta. ARGV: guard (3), cursor. Returns 'begun', or 'mismatch' when another incarnation answers or a newer
-- epoch stands. Works when memory is short.
if incarnation() ~= ARGV[1] then return 'mismatch' end
local meta = redis.call('HMGET', KEYS[1], 'i', 'e')
if meta[1] == ARGV[1] and meta[2] and meta[2] >= ARGV[2] then return 'mismatch' end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'i', ARGV[1], 'e', ARGV[2], 'g', ARGV[3], 'c', ARGV[4])
return 'begun'
