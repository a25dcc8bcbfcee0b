-- Puts some members of a large value aside, so that no script stores many at once; `fill` and `publish` put them in
-- their place if they are all there by then. Meanwhile the token stays with who is at work.
-- KEYS: meta, staging key, entry. ARGV: guard (3), token, ms until the token may be given to another, ms until what lies
-- aside goes by itself, shape, number of members put aside before, words.
-- Returns {'mismatch'}, or {'done', 'staged' | 'lost'}: lost where the token is, or part of what was put aside before.
if not guarded() then return { 'mismatch' } end
local hold = tonumber(ARGV[5])
local held = redis.pcall('HMGET', KEYS[3], 'g', 't', 'v')
if held.err or held[1] ~= ARGV[3] or held[2] ~= ARGV[4] or size(KEYS[2], ARGV[7]) ~= tonumber(ARGV[8]) then
  redis.call('UNLINK', KEYS[2])
  return { 'done', 'lost' }
end
redis.call('HSET', KEYS[3], 'x', now_ms() + hold)
if not held[3] then redis.call('PEXPIRE', KEYS[3], hold * 2, 'GT') end
each(COMMANDS[ARGV[7]].add, KEYS[2], 9, #ARGV)
redis.call('PEXPIRE', KEYS[2], ARGV[6])
return { 'done', 'staged' }
