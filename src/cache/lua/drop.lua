-- Removes what is older than a version, a transaction's fences and the lease; with version 0 it only lifts the fence.
-- KEYS: meta, fence index, then entry and members of each. ARGV: guard (3); then for each entry its version and fence.
-- Returns {'mismatch'} or {'done', 'dropped'…}. Atomic over all entries; works when memory is short.
if not guarded() then return { 'mismatch' } end
local out, a = { 'done' }, 4
for i = 3, #KEYS, 2 do
  healed(release, i, ARGV[a], ARGV[a + 1])
  a = a + 2
  out[#out + 1] = 'dropped'
end
return out
