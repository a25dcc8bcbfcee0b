-- Reads what is left of one entry, fenced or not, for an answer marked stale. KEYS: meta, entry, members.
-- ARGV: guard (3), field, first and last row wanted (first '' for no rows).
-- Returns {'mismatch'}, {'done'} where nothing is left, or {'done', hit} with a hit as `read` returns it.
if not guarded() then return { 'mismatch' } end
local e = redis.call('HMGET', KEYS[2], 'g', 'v', 'c', 's', 'a', 'n', ARGV[4])
if e[1] ~= ARGV[3] or not (e[5] or e[7]) then return { 'done' } end
if e[6] and redis.call('LLEN', KEYS[3]) ~= tonumber(e[6]) then return { 'done' } end
local rows = ARGV[5] ~= '' and not e[5] and redis.call('LRANGE', KEYS[3], ARGV[5], ARGV[6]) or {}
return { 'done', { 'hit', e[2], e[3], now_ms() - tonumber(e[4]), not e[5] and e[7], tonumber(e[6] or 0), rows } }
