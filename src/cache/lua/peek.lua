-- Reads what is left of one entry, fenced or not, for an answer marked stale. KEYS: meta, entry, members.
-- ARGV: guard (3), field, and the arguments of part().
-- Returns {'mismatch'}, {'done'} where nothing is left, or {'done', hit} with a hit as `read` returns it.
if not guarded() then return { 'mismatch' } end
local e = redis.call('HMGET', KEYS[2], 'g', 'v', 'c', 's', 'a', 'n', 'k', ARGV[4], 'l')
if e[1] ~= ARGV[3] or not (e[5] or e[8]) then return { 'done' } end
if e[6] and size(KEYS[3], e[7]) ~= tonumber(e[6]) then return { 'done' } end
local found = e[5] and {} or part(KEYS[3], 5)
return { 'done', { 'hit', e[2], e[3], now_ms() - tonumber(e[4]), e[9], not e[5] and e[8], tonumber(e[6] or 0), found } }
