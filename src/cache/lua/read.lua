-- Reads many entries of one partition; grants a lease token for each one that must be refilled and is nobody's.
-- KEYS: meta, then entry and members of each. ARGV: guard (3), lease ms, fence grace ms; then for each entry its
-- field, token, first and last row wanted (first '' for no rows).
-- Returns {'mismatch'} or {'done', reply…}; a reply is {'hit', version, changed at, age ms, value or false, count, rows},
-- {'lease', fences}, {'busy'} or {'fenced'}. Atomic over all entries.
if not guarded() then return { 'mismatch' } end
local now, lease, grace = now_ms(), tonumber(ARGV[4]), tonumber(ARGV[5])
local out, arg = { 'done' }, 6
for i = 2, #KEYS, 2 do
  local field, token, first, last = ARGV[arg], ARGV[arg + 1], ARGV[arg + 2], ARGV[arg + 3]
  arg = arg + 4
  local e = redis.call('HMGET', KEYS[i], 'g', 'v', 'c', 's', 'f', 't', 'x', 'a', 'n', field)
  local ours = e[1] == ARGV[3]
  local whole = ours and (e[8] or e[10]) and (not e[9] or redis.call('LLEN', KEYS[i + 1]) == tonumber(e[9]))
  local taken, young = ours and e[6] and tonumber(e[7]) > now, false
  for _, at in string.gmatch(ours and e[5] or '', '(%d+):(%d+)') do young = young or tonumber(at) > now - grace end
  if whole and not e[5] then
    local rows = first ~= '' and not e[8] and redis.call('LRANGE', KEYS[i + 1], first, last) or {}
    out[#out + 1] = { 'hit', e[2], e[3], now - tonumber(e[4]), not e[8] and e[10], tonumber(e[9] or 0), rows }
  elseif young or (taken and e[5]) then
    out[#out + 1] = { 'fenced' }
  elseif taken then
    out[#out + 1] = { 'busy' }
  else
    if not ours then redis.call('DEL', KEYS[i], KEYS[i + 1]) end
    redis.call('HSET', KEYS[i], 'g', ARGV[3], 't', token, 'x', now + lease)
    if not ours then redis.call('PEXPIRE', KEYS[i], lease * 2) end
    out[#out + 1] = { 'lease', ours and e[5] or '' }
  end
end
return out
