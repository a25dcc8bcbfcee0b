-- Removes what is older than a version, a transaction's fences and a lease; with version 0 no value.
-- KEYS: meta, fence index, then entry and members of each. ARGV: guard (3); then for each entry its version, its fence,
-- and the token of a lease that is given back, or ''.
-- Returns {'mismatch'} or {'done', 'dropped'…}. Atomic over all entries; works when memory is short.
if not guarded() then return { 'mismatch' } end
local function drop(i, a)
  release(i, ARGV[a], ARGV[a + 1])
  if ARGV[a + 2] ~= '' and redis.call('HGET', KEYS[i], 't') == ARGV[a + 2] then redis.call('HDEL', KEYS[i], 't', 'x') end
end

local out, a = { 'done' }, 4
for i = 3, #KEYS, 2 do
  healed(drop, i, a)
  a = a + 3
  out[#out + 1] = 'dropped'
end
return out
