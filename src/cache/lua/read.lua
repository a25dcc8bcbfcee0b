-- Reads many entries of one partition; grants a lease token for each one that must be refilled and is nobody's.
-- KEYS: meta, then entry and members of each. ARGV: guard (3), lease ms, fence grace ms; then for each entry its
-- field, token, and the arguments of part().
-- Returns {'mismatch'} or {'done', reply…}; a reply is {'hit', version, changed at, age ms, ttl ms, value or false, count,
-- part},
-- {'lease', fences}, {'busy'}, or {'fenced'}: nobody can refill yet, or one reader tries to. Atomic over all entries.
if not guarded() then return { 'mismatch' } end
local now, lease, grace = now_ms(), tonumber(ARGV[4]), tonumber(ARGV[5])
local out, arg = { 'done' }, 6
for i = 2, #KEYS, 2 do
  local field, token = ARGV[arg], ARGV[arg + 1]
  local e = redis.call('HMGET', KEYS[i], 'g', 'v', 'c', 's', 'f', 't', 'x', 'a', 'n', 'k', field, 'l')
  local ours = e[1] == ARGV[3]
  local whole = ours and (e[8] or e[11]) and (not e[9] or size(KEYS[i + 1], e[10]) == tonumber(e[9]))
  local young = false
  for _, at in string.gmatch(ours and e[5] or '', '(%d+):(%d+)') do young = young or tonumber(at) > now - grace end
  local held = ours and e[6] and tonumber(e[7]) > now
  if whole and not e[5] then
    local found = e[8] and {} or part(KEYS[i + 1], arg + 2)
    out[#out + 1] = { 'hit', e[2], e[3], now - tonumber(e[4]), e[12], not e[8] and e[11], tonumber(e[9] or 0), found }
  elseif young or (held and e[5]) then
    out[#out + 1] = { 'fenced' }
  elseif held then
    out[#out + 1] = { 'busy' }
  else
    if not ours then redis.call('DEL', KEYS[i], KEYS[i + 1]) end
    redis.call('HSET', KEYS[i], 'g', ARGV[3], 't', token, 'x', now + lease)
    if not ours then redis.call('PEXPIRE', KEYS[i], lease * 2) end
    out[#out + 1] = { 'lease', ours and e[5] or '' }
  end
  arg = arg + 4 + tonumber(ARGV[arg + 3])
end
return out
