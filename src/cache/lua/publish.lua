-- Stores committed values whose write token still stands, which ends every fence on them: each writer before had ended
-- when this one held the root lock, and one after would have taken the token. Else drops what is older.
-- KEYS: meta, fence index, then entry and members of each. ARGV: guard (3); then for each entry its token, xid and the
-- arguments of put(). Returns {'mismatch'} or {'done', 'published' | 'dropped'…}. Atomic over all entries.
if not guarded() then return { 'mismatch' } end
local out, arg = { 'done' }, 4
for i = 3, #KEYS, 2 do
  local held = redis.call('HMGET', KEYS[i], 'g', 't')
  if held[1] == ARGV[3] and held[2] == ARGV[arg] then
    arg = put(KEYS[i], KEYS[i + 1], ARGV[3], arg + 2)
    redis.call('ZREM', KEYS[2], KEYS[i])
    out[#out + 1] = 'published'
  else
    release(KEYS[i], KEYS[i + 1], KEYS[2], ARGV[3], ARGV[arg + 2], ARGV[arg + 1])
    arg = skip(arg + 2)
    out[#out + 1] = 'dropped'
  end
end
return out
