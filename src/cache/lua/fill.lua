-- Stores refills whose lease token still stands.
-- KEYS: meta, fence index, entry and members of each, then what was put aside. ARGV: guard (3), number of entries; then
-- for each its token and the arguments of put().
-- Returns {'mismatch'} or {'done', stamp of what was stored | false…}. Atomic over all entries.
if not guarded() then return { 'mismatch' } end

local function fill(i, a)
  local held = redis.call('HMGET', KEYS[i], 'g', 't')
  if held[1] ~= ARGV[3] then return false end
  if held[2] ~= ARGV[a] then return false end
  if not complete(a + 1) then
    redis.call('HDEL', KEYS[i], 't', 'x')
    return false
  end
  index('ZREM', KEYS[i])
  return put(i, a + 1)
end

local out, a = { 'done' }, 5
for n = 1, tonumber(ARGV[4]) do
  out[n + 1] = healed(fill, 2 * n + 1, a)
  a = after(a + 1)
end
return out
