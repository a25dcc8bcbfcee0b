-- Tells which value of each entry stands whole and unfenced, for whoever holds an answer made from it.
-- KEYS: meta, then entry and members of each. ARGV: guard (3), then the field of each entry.
-- Returns {'mismatch'} or {'done', stamp or false…}: version and time of storing, `version:ms`. Moves no value and changes nothing. Atomic over all entries.
if not guarded() then return { 'mismatch' } end

local function look(i, field)
  local e = redis.call('HMGET', KEYS[i], 'g', 'v', 'f', 'a', 'n', 'k', field, 's')
  if e[1] ~= ARGV[3] or e[3] or not e[2] or not is_number(e[2]) then return false end
  if not (e[4] or e[7]) then return false end
  if e[5] and size(KEYS[i + 1], e[6]) ~= tonumber(e[5]) then return false end
  return e[2] .. ':' .. e[8]
end

local out = { 'done' }
for i = 2, #KEYS, 2 do
  local looked, stamp = pcall(look, i, ARGV[3 + i / 2])
  out[#out + 1] = looked and stamp
end
return out
