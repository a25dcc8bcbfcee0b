-- Stores refills whose lease token still stands.
-- KEYS: meta, fence index, then entry and members of each. ARGV: guard (3); then for each entry its token and the
-- arguments of put(). Returns {'mismatch'} or {'done', 'filled' | 'refused'…}. Atomic over all entries.
if not guarded() then return { 'mismatch' } end
local out, arg = { 'done' }, 4
for i = 3, #KEYS, 2 do
  local held = redis.call('HMGET', KEYS[i], 'g', 't')
  if held[1] == ARGV[3] and held[2] == ARGV[arg] then
    arg = put(KEYS[i], KEYS[i + 1], ARGV[3], arg + 1)
    redis.call('ZREM', KEYS[2], KEYS[i])
    out[#out + 1] = 'filled'
  else
    arg = skip(arg + 1)
    out[#out + 1] = 'refused'
  end
end
return out
