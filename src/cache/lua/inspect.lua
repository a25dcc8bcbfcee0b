-- Tells an operator what stands in one entry, without changing it.
-- KEYS: meta, entry, members. ARGV: guard (3), field. Returns {'mismatch'} or {'done', version, age ms, ttl ms, bytes,
-- fences, leased until, now, has value or absent mark}; what cannot be read counts as absent.
if not guarded() then return { 'mismatch' } end
local now = now_ms()
local e = redis.pcall('HMGET', KEYS[2], 'g', 'v', 's', 'f', 'x', 'a', ARGV[4])
if e.err or e[1] ~= ARGV[3] then return { 'done', false, false, -2, 0, false, false, now, false } end
local bytes = (redis.call('MEMORY', 'USAGE', KEYS[2]) or 0) + (redis.call('MEMORY', 'USAGE', KEYS[3]) or 0)
local age = e[3] and now - (tonumber(e[3]) or now)
return { 'done', e[2], age, redis.call('PTTL', KEYS[2]), bytes, e[4], e[5], now, (e[6] or e[7]) and 1 }
