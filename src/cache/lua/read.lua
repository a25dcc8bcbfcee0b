-- Reads many entries of one partition; grants a lease token for each one that must be refilled and is nobody's.
-- KEYS: meta, then entry and members of each. ARGV: guard (3), lease ms, fence grace ms; then for each entry its
-- field, secret, the stamp of a value that the reader has or '', and the arguments of part(). Returns {'mismatch'} or
-- {'done', reply…}; a reply is {'hit', version, changed at, age ms, ttl ms, value or false, count, part, stamp},
-- {'same', age ms, ttl ms} where what the reader has stands, {'lease', token, fences}, {'busy'}, or {'fenced'}: nobody can
-- refill yet, or one reader tries to. Atomic over all entries.
if not guarded() then return { 'mismatch' } end
local now, lease, grace = now_ms(), tonumber(ARGV[4]), tonumber(ARGV[5])

local function look(i, a)
  -- What the reader has stands as long as its stamp does: its bytes and members need not be looked at.
  if ARGV[a + 2] ~= '' and redis.call('HGET', KEYS[i], 'p') == ARGV[a + 2] then
    local life = redis.call('HMGET', KEYS[i], 's', 'l')
    return { 'same', now - life[1], life[2] + 0 }
  end
  local e = redis.call('HMGET', KEYS[i], 'g', 'v', 'c', 's', 'f', 't', 'x', 'a', 'n', 'k', 'l', 'p')
  if e[1] ~= ARGV[3] then
    redis.call('UNLINK', KEYS[i], KEYS[i + 1])
    local token = granted(ARGV[a + 1])
    redis.call('HSET', KEYS[i], 'g', ARGV[3], 't', token, 'x', now + lease)
    redis.call('PEXPIRE', KEYS[i], lease * 2)
    return { 'lease', token, '' }
  end
  sound(e[2], e[5])
  if e[2] and not e[5] then
    local entry, members = KEYS[i], KEYS[i + 1]
    local value = not e[8] and redis.call('HGET', entry, ARGV[a])
    if (e[8] or value) and (not e[9] or size(members, e[10]) == tonumber(e[9])) then
      local stamp = stamp_of(e[1], e[2], e[4])
      if e[12] ~= stamp then stamped(entry, e[1], e[2], e[4]) end
      local found = e[8] and {} or part(members, a + 3)
      return { 'hit', e[2], e[3] + 0, now - e[4], e[11] + 0, value, tonumber(e[9] or 0), found, stamp }
    end
  end
  local young = false
  for at in string.gmatch(e[5] or '', ':(%d+)') do young = young or tonumber(at) > now - grace end
  local held = e[6] and e[7] + 0 > now
  if young or (held and e[5]) then return { 'fenced' } end
  if held then return { 'busy' } end
  local token = granted(ARGV[a + 1])
  redis.call('HSET', KEYS[i], 't', token, 'x', now + lease)
  return { 'lease', token, e[5] or '' }
end

local out, a = { 'done' }, 6
for i = 2, #KEYS, 2 do
  out[#out + 1] = healed(look, i, a)
  a = a + 5 + tonumber(ARGV[a + 4])
end
return out
