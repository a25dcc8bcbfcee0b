-- Stores committed values whose write token still stands, which ends every fence on them: each writer before had ended
-- when this one held the root lock, and one after would have taken the token. Else drops what is older.
-- KEYS: meta, fence index, entry and members of each, then what was put aside. ARGV: guard (3), number of entries; then
-- for each its token, xid and the arguments of put().
-- Returns {'mismatch'} or {'done', 'published' | 'dropped'…}. Atomic over all entries.
if not guarded() then return { 'mismatch' } end

local function publish(i, a)
  local held = redis.call('HMGET', KEYS[i], 'g', 't')
  local ours = held[1] == ARGV[3]
  local standing = held[2] == ARGV[a]
  if ours and standing and complete(a + 2) then
    put(i, a + 2)
    index('ZREM', KEYS[i])
    return 'published'
  end
  release(i, ARGV[a + 2], ARGV[a + 1])
  return 'dropped'
end

local out, a = { 'done' }, 5
for n = 1, tonumber(ARGV[4]) do
  out[n + 1] = healed(publish, 2 * n + 1, a)
  a = after(a + 2)
end
return out
