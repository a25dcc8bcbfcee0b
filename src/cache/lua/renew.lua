-- Grants lease tokens for entries that stand whole in the last part of their life, so that they are loaded anew before
-- they expire. Readers go on hitting the value meanwhile; whoever fences, drops or publishes takes the token.
-- KEYS: meta, then entry and members of each. ARGV: guard (3), lease ms, share of its life after which an entry may be
-- renewed; then for each entry its field and secret.
-- Returns {'mismatch'} or {'done', token or false…}. Atomic over all entries.
if not guarded() then return { 'mismatch' } end
local now, lease, share = now_ms(), tonumber(ARGV[4]), tonumber(ARGV[5])

local function renew(i, a)
  local e = redis.call('HMGET', KEYS[i], 'g', 's', 'f', 't', 'x', 'a', 'n', 'k', 'l')
  if e[1] ~= ARGV[3] then return false end
  if not e[6] and redis.call('HEXISTS', KEYS[i], ARGV[a]) == 0 then return false end
  if e[7] and size(KEYS[i + 1], e[8]) ~= tonumber(e[7]) then return false end
  if e[3] then return false end
  if e[4] and e[5] + 0 > now then return false end
  if now - e[2] < e[9] * share then return false end
  local token = granted(ARGV[a + 1])
  redis.call('HSET', KEYS[i], 't', token, 'x', now + lease)
  return token
end

local out, a = { 'done' }, 6
for i = 2, #KEYS, 2 do
  out[#out + 1] = healed(renew, i, a)
  a = a + 2
end
return out
