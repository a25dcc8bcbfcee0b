-- Removes what is older than a version, one transaction's fence and the lease; with version 0 it only lifts the fence.
-- KEYS: meta, fence index, then entry and members of each. ARGV: guard (3); then for each entry its version and xid.
-- Returns {'mismatch'} or {'done', 'dropped'…}. Atomic over all entries; works when memory is short.
if not guarded() then return { 'mismatch' } end
local out, arg = { 'done' }, 4
for i = 3, #KEYS, 2 do
  release(KEYS[i], KEYS[i + 1], KEYS[2], ARGV[3], ARGV[arg], ARGV[arg + 1])
  arg = arg + 2
  out[#out + 1] = 'dropped'
end
return out
