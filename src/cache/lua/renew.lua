-- Grants lease tokens for entries that stand whole in the last part of their life, so that they are loaded anew before
-- they expire. Readers go on hitting the value meanwhile; whoever fences, drops or publishes takes the token.
-- KEYS: meta, then entry and members of each. ARGV: guard (3), lease ms, share of its life after which an entry may be
-- renewed; then for each entry its field and token.
-- Returns {'mismatch'} or {'done', 'granted' | 'refused'…}. Atomic over all entries.
if not guarded() then return { 'mismatch' } end
local now, lease, share = now_ms(), tonumber(ARGV[4]), tonumber(ARGV[5])
local out, arg = { 'done' }, 6
for i = 2, #KEYS, 2 do
  local e = redis.call('HMGET', KEYS[i], 'g', 's', 'f', 't', 'x', 'a', 'n', 'k', ARGV[arg], 'l')
  local whole = e[1] == ARGV[3] and (e[6] or e[9]) and (not e[7] or size(KEYS[i + 1], e[8]) == tonumber(e[7]))
  local held = e[4] and tonumber(e[5]) > now
  if whole and not e[3] and not held and now - tonumber(e[2]) >= tonumber(e[10]) * share then
    redis.call('HSET', KEYS[i], 't', ARGV[arg + 1], 'x', now + lease)
    out[#out + 1] = 'granted'
  else
    out[#out + 1] = 'refused'
  end
  arg = arg + 2
end
return out
